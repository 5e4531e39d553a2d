-- question: How much went on, and when?
-- grain: one row an interval in which connections opened
-- read by: tailrace ask
-- parameter interval_s integer 60: length of an interval in seconds
-- parameter namespace text null: namespace of either end
with counted as (
    select
        cast(floor(epoch(start_time) / $interval_s) as bigint) * $interval_s as start_s,
        failed,
        src_packets + dst_packets as packets,
        src_bytes,
        dst_bytes
    from connections
    where $namespace is null or src_namespace = $namespace or dst_namespace = $namespace
)

select
    to_timestamp(start_s) as from_time,
    count(*) as connections,
    count(*) filter (where failed) as failed,
    cast(sum(packets) as bigint) as packets,
    cast(sum(src_bytes) as bigint) as src_bytes,
    cast(sum(dst_bytes) as bigint) as dst_bytes
from counted
group by all
order by from_time
