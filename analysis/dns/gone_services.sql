-- question: Which Services did earlier readings of the cluster have that the newest lacks?
-- grain: one row a Service, the one that was there last first
-- read by: the DNS doctor
with told as (
    select cluster, namespace, name, max(seen_time) as seen_time
    from objects
    where kind = 'Service'
    group by cluster, namespace, name
),

newest as (
    select cluster, max(seen_time) as seen_time
    from objects
    group by cluster
)

select told.cluster, told.namespace, told.name, told.seen_time
from told
join newest on told.cluster is not distinct from newest.cluster and told.seen_time < newest.seen_time
order by told.seen_time desc, told.cluster, told.namespace, told.name
