-- question: Who moves the most bytes?
-- grain: one row a src workload and dst workload or outside name, the most bytes first
-- read by: tailrace ask
-- parameter namespace text null: namespace of either end
with pairs as (
    select
        src_kind, src_namespace, src_workload_kind, src_workload, src_name,
        dst_kind, dst_namespace, dst_workload_kind, dst_workload, dst_name,
        cast(sum(connections) as bigint) as connections,
        cast(sum(failed) as bigint) as failed,
        cast(sum(src_bytes) as bigint) as src_bytes,
        cast(sum(dst_bytes) as bigint) as dst_bytes,
        min(first_seen) as first_seen,
        max(last_seen) as last_seen
    from edges
    where $namespace is null or src_namespace = $namespace or dst_namespace = $namespace
    group by all
)

select *
from pairs
order by
    src_bytes + dst_bytes desc,
    src_kind, src_namespace, src_workload_kind, src_name, dst_kind, dst_namespace, dst_workload_kind, dst_name
