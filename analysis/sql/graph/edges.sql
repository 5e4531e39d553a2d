-- question: Who talks to whom, on which protocol and port?
-- grain: one row for each src, dst, protocol and port of the pod
-- read by: analysis.graph
-- parameter namespace text null: one of the ends is of it
-- parameter workload text null: one of the ends is of it
select
    src_kind,
    src_namespace,
    src_workload_kind,
    src_name,
    dst_kind,
    dst_namespace,
    dst_workload_kind,
    dst_name,
    protocol,
    port,
    connections,
    failed,
    src_bytes + dst_bytes as bytes,
    first_seen,
    last_seen
from edges
where ($namespace is null or src_namespace = $namespace or dst_namespace = $namespace)
    and ($workload is null or src_workload = $workload or dst_workload = $workload)
order by connections desc, src_namespace, src_name, dst_namespace, dst_name, protocol, port
