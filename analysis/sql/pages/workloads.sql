-- question: Which workloads took part in a connection or asked for a name?
-- grain: one row for each namespace and workload
-- read by: the filters of the app
select distinct namespace, workload
from (
    select src_namespace as namespace, src_workload as workload from flows
    union all
    select dst_namespace as namespace, dst_workload as workload from flows
    union all
    select client_namespace as namespace, client_workload as workload from resolution_records
) as ends
where namespace is not null and workload is not null
order by namespace, workload
