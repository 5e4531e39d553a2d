-- What another enrichment of the same records changed.
-- In: before, after (row, record, one and other: its ends). Out: records, changed, ends.
select
    count(*) as records,
    count(*) filter (where before.record is distinct from after.record) as changed,
    count(*) filter (where before.one is distinct from after.one)
    + count(*) filter (where before.other is distinct from after.other) as ends
from before
inner join after on after.row = before.row
