-- question: How much was carried when, and did it stay inside the cluster?
-- grain: one row for each bar and direction: inside, outbound, inbound, unknown
-- read by: the page Overview
-- parameter namespace text null: one of the ends is of it
-- parameter workload text null: one of the ends is of it
-- parameter bar_s integer 60: seconds a bar stands for; a connection counts where it began
-- Outside is what it is to the view outward.
with chosen as (
    select
        cast(floor(epoch(start_time) / $bar_s) as bigint) * $bar_s as bar,
        case
            when is_outside(dst_ip, dst_kind, src_kind) then 'outbound'
            when is_outside(src_ip, src_kind, dst_kind) then 'inbound'
            when src_kind is null or dst_kind is null then 'unknown'
            else 'inside'
        end as direction,
        src_bytes + dst_bytes as bytes,
        cast(failed as integer) as failed
    from connections
    where ($namespace is null or src_namespace = $namespace or dst_namespace = $namespace)
        and ($workload is null or src_workload = $workload or dst_workload = $workload)
)

select
    bar,
    direction,
    count(*) as connections,
    cast(sum(failed) as bigint) as failed,
    cast(sum(bytes) as bigint) as bytes
from chosen
group by bar, direction
order by bar, direction
