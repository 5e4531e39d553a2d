-- question: Who tries many doors that do not open?
-- grain: one row a src address, the most refused or silent doors first
-- read by: tailrace ask
-- parameter least integer 20: fewest different addresses and ports that refused or kept silent
with tries as (
    select
        src_ip,
        src_namespace,
        src_workload_kind,
        src_workload,
        dst_ip,
        dst_port,
        start_time,
        failed
    from connections
    where protocol = 6
),

doors as (
    select
        src_ip, src_namespace, src_workload_kind, src_workload, dst_ip, dst_port,
        count(*) filter (where failed) as failed,
        count(*) filter (where not failed) as opened,
        min(start_time) as first_seen,
        max(start_time) as last_seen
    from tries
    group by all
)

select
    src_ip,
    src_namespace,
    src_workload_kind,
    src_workload,
    count(*) filter (where failed > 0 and opened = 0) as closed_doors,
    count(*) filter (where opened > 0) as open_doors,
    count(distinct dst_ip) as addresses,
    count(distinct dst_port) as ports,
    min(first_seen) as first_seen,
    max(last_seen) as last_seen
from doors
group by src_ip, src_namespace, src_workload_kind, src_workload
having count(*) filter (where failed > 0 and opened = 0) >= $least
order by closed_doors desc, src_ip, src_namespace, src_workload_kind, src_workload
