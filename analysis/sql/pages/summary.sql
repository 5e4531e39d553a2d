-- question: What came in, in a few numbers?
-- grain: one row
-- read by: the page Overview
-- parameter namespace text null: one of the ends is of it
-- parameter workload text null: one of the ends is of it
-- Outside is what it is to the view outward.
with chosen as (
    select *
    from connections
    where ($namespace is null or src_namespace = $namespace or dst_namespace = $namespace)
        and ($workload is null or src_workload = $workload or dst_workload = $workload)
),

asked as (
    select
        count(*) as transactions,
        sum(case when outcome = 'unanswered' then 1 else 0 end) as unanswered
    from dns
    where ($namespace is null or client_namespace = $namespace)
        and ($workload is null or client_workload = $workload)
),

carried as (
    select
        count(*) as connections,
        count(*) filter (where failed) as failed,
        sum(src_packets + dst_packets) as packets,
        sum(src_bytes + dst_bytes) as bytes,
        sum(src_bytes) filter (where is_outside(dst_ip, dst_kind, src_kind)) as bytes_out,
        count(*) filter (where is_outside(dst_ip, dst_kind, src_kind)) as connections_out
    from chosen
)

select
    carried.connections,
    cast(coalesce(carried.failed, 0) as bigint) as failed,
    cast(coalesce(carried.packets, 0) as bigint) as packets,
    cast(coalesce(carried.bytes, 0) as bigint) as bytes,
    cast(coalesce(carried.bytes_out, 0) as bigint) as bytes_out,
    cast(coalesce(carried.connections_out, 0) as bigint) as connections_out,
    asked.transactions,
    cast(coalesce(asked.unanswered, 0) as bigint) as unanswered
from carried
cross join asked
