-- The sightings of connections that were translated on the way, before and after it.
-- In: translation, tupled, sighting, timeline. Parameters: $apart_us, how far two sightings of one packet may be apart; $near_us,
-- sightings of one opening by one node lie closer than this.
-- Out: passed (row, is_after, src_ip, src_port, src_owner, src_ambiguous: the source before the translation; nat_ip, nat_port, the one
-- after it; last_row, a sighting behind the last translation, NULL if not known).
-- A translation holds until its tuple is seen to open again.
create or replace temp table passed as
with side as (
    select tuple, from_us, true as is_after, src_ip, src_port, nat_ip, nat_port, last_row from translation
    union all
    select original, from_us, false, src_ip, src_port, nat_ip, nat_port, last_row from translation
),
opened as (
    select tupled.tuple, tupled.start_us as from_us, side.is_after
    from tupled
    inner join (select distinct tuple, is_after from side) as side on side.tuple = tupled.tuple
    anti join side as known
        on known.tuple = tupled.tuple
        and tupled.start_us between known.from_us - $apart_us and known.from_us + $apart_us
    where tupled.started
),
held as (
    select tuple, from_us, is_after, true as is_known, src_ip, src_port, nat_ip, nat_port, last_row from side
    union all
    select tuple, from_us, is_after, false, null, null, null, null, null from opened
),
sought as (
    select row, tuple, start_us, start_us + case when started then $apart_us else $near_us end as at_us
    from tupled
    where tuple in (select tuple from side)
),
after as (
    select sought.row, sought.start_us, held.*
    from sought
    asof inner join (select * from held where is_after) as held on held.tuple = sought.tuple and sought.at_us >= held.from_us
),
before as (
    select sought.row, sought.start_us, held.*
    from sought
    asof inner join (select * from held where not is_after) as held on held.tuple = sought.tuple and sought.at_us >= held.from_us
),
merged as (
    select
        coalesce(after.row, before.row) as row,
        coalesce(after.start_us, before.start_us) as start_us,
        coalesce(after.is_known, false) as is_after,
        case when after.is_known then after.src_ip else before.src_ip end as src_ip,
        case when after.is_known then after.src_port else before.src_port end as src_port,
        case when after.is_known then after.nat_ip else before.nat_ip end as nat_ip,
        case when after.is_known then after.nat_port else before.nat_port end as nat_port,
        coalesce(before.last_row, after.last_row) as last_row
    from after
    full join before on before.row = after.row
    where coalesce(after.is_known, false) or coalesce(before.is_known, false)
)
select
    merged.row,
    merged.is_after and is_changed as is_after,
    merged.src_ip,
    merged.src_port,
    timeline.owner as src_owner,
    coalesce(timeline.ambiguous, false) as src_ambiguous,
    case when is_changed then merged.nat_ip end as nat_ip,
    case when is_changed then merged.nat_port end as nat_port,
    merged.last_row
from (select *, (src_ip, src_port) is distinct from (nat_ip, nat_port) as is_changed from merged) as merged
left join timeline
    on timeline.ip = merged.src_ip and timeline.from_us <= merged.start_us and merged.start_us < timeline.until_us
