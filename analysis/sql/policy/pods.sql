-- question: Which pods were there?
-- grain: one row a pod, as it was last known
-- read by: tailrace policy
with known as (
    select
        *,
        row_number() over (partition by namespace, name order by from_time desc, uid, ip) as place
    from assignments
    where kind = 'pod'
)

select namespace, name, workload_kind, workload, node, labels, host_network, from_time
from known
where place = 1
order by from_time, namespace, name
