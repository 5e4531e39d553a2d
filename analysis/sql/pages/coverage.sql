-- question: What was seen, and what was not?
-- grain: one row for each source, node and interface
-- read by: the page Overview
with reasons as (
    select source, node, interface, unnest(map_values(discarded)) as packets
    from coverage
),

lost as (
    select source, node, interface, sum(packets) as discarded
    from reasons
    group by source, node, interface
),

seen as (
    select
        source,
        node,
        interface,
        min(from_time) as from_time,
        max(until_time) as until_time,
        sum(packets) as packets,
        sum(bytes) as bytes,
        sum(cut_packets) as cut_packets,
        sum(kernel_drops) as kernel_drops,
        sum(evictions) as evictions,
        sum(pending_overflows) as pending_overflows,
        sum(stream_overflows) as stream_overflows,
        sum(datagram_overflows) as datagram_overflows,
        sum(hello_overflows) as hello_overflows
    from coverage
    group by source, node, interface
)

select
    seen.source,
    seen.node,
    seen.interface,
    seen.from_time,
    seen.until_time,
    cast(seen.packets as bigint) as packets,
    cast(seen.bytes as bigint) as bytes,
    cast(coalesce(lost.discarded, 0) as bigint) as discarded,
    cast(seen.cut_packets as bigint) as cut_packets,
    cast(seen.kernel_drops as bigint) as kernel_drops,
    cast(seen.evictions as bigint) as evictions,
    cast(seen.pending_overflows as bigint) as pending_overflows,
    cast(seen.stream_overflows as bigint) as stream_overflows,
    cast(seen.datagram_overflows as bigint) as datagram_overflows,
    cast(seen.hello_overflows as bigint) as hello_overflows
from seen
left join lost
    on seen.source = lost.source
        and seen.node is not distinct from lost.node
        and seen.interface is not distinct from lost.interface
order by seen.packets desc, seen.source, seen.node, seen.interface
