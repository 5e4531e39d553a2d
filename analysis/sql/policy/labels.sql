-- question: Which labels did the pods have that no assignment tells of?
-- grain: one row a pod
-- read by: tailrace policy
with ends as (
    select cluster, src_namespace as namespace, src_pod as pod, src_node as node, src_labels as labels, start_time
    from flows
    where src_pod is not null
    union all
    select cluster, dst_namespace as namespace, dst_pod as pod, dst_node as node, dst_labels as labels, start_time
    from flows
    where dst_pod is not null
),

untold as (
    select *
    from ends
    where labels is not null
        and not exists (
            select 1
            from assignments
            where assignments.kind = 'pod' and assignments.namespace = ends.namespace and assignments.name = ends.pod
        )
)

select
    namespace,
    pod as name,
    max_by(node, start_time) as node,
    max_by(labels, start_time) as labels
from untold
group by namespace, pod
order by namespace, pod
