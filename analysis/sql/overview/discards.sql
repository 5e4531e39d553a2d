-- question: Which packets are in no flow, and why?
-- grain: one row a node and reason, the most packets first
-- read by: tailrace ask
with entries as (
    select cluster, node, unnest(map_entries(discarded)) as entry
    from coverage
),

reasons as (
    select cluster, node, entry.key as reason, cast(sum(entry.value) as bigint) as packets
    from entries
    group by all
),

seen as (
    select cluster, node, cast(sum(packets) as bigint) as packets_seen
    from coverage
    group by all
)

select
    reasons.cluster, reasons.node, reasons.reason, reasons.packets,
    reasons.packets / cast(nullif(seen.packets_seen, 0) as double) as share
from reasons
inner join seen
    on reasons.cluster is not distinct from seen.cluster and reasons.node is not distinct from seen.node
where reasons.packets > 0
order by packets desc, cluster, node, reason
