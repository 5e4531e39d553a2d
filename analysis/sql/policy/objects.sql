-- question: What is in the cluster, as it was last read?
-- grain: one row an object
-- read by: tailrace policy
with newest as (
    select cluster, max(seen_time) as seen_time
    from objects
    group by cluster
)

select objects.cluster, objects.kind, objects.namespace, objects.name, objects.document
from objects
join newest on objects.seen_time = newest.seen_time and objects.cluster is not distinct from newest.cluster
order by all
