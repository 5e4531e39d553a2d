-- question: Which workloads ask names, or answer?
-- grain: one row a workload (or address, where no workload is known), that of most transactions first
-- read by: tailrace dns, to tell whom somebody may have meant
with ends as (
    select client_namespace as namespace, coalesce(client_workload, client_ip) as name, true as asks
    from dns_records
    union all
    select server_namespace as namespace, coalesce(server_workload, server_ip) as name, false as asks
    from dns_records
)

select namespace, name, bool_or(asks) as asks, count(*) as transactions
from ends
group by namespace, name
order by transactions desc, namespace, name
