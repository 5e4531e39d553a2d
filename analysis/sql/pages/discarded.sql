-- question: Why are packets in no flow?
-- grain: one row for each reason
-- read by: the page Overview
with reasons as (
    select unnest(map_keys(discarded)) as reason, unnest(map_values(discarded)) as packets
    from coverage
)

select reason, cast(sum(packets) as bigint) as packets
from reasons
where packets > 0
group by reason
order by packets desc, reason
