-- question: Which reading of the cluster is the newest, and which namespaces of earlier ones does it lack?
-- grain: one row a cluster
-- read by: tailrace policy
with newest as (
    select cluster, max(seen_time) as seen_time
    from objects
    group by cluster
),

namespaces as (
    select
        objects.cluster,
        case when objects.kind = 'Namespace' then objects.name else objects.namespace end as namespace,
        max(objects.seen_time) as seen_time
    from objects
    group by all
)

select
    newest.cluster,
    newest.seen_time,
    coalesce(
        list_sort(
            array_agg(namespaces.namespace)
            filter (where namespaces.namespace is not null and namespaces.seen_time < newest.seen_time)
        ),
        []
    ) as missing
from newest
join namespaces on newest.cluster is not distinct from namespaces.cluster
group by newest.cluster, newest.seen_time
order by newest.cluster
