-- question: How much was asked by these clients, and when?
-- grain: one row
-- read by: the DNS doctor and the detections, which say how much they judged
-- parameter namespace text null: namespace of the client
-- parameter workload text null: workload of the client
-- forwarded: transactions in which a name server asks for others; all else is what clients asked.
with client as (
    select
        cluster,
        client_namespace,
        coalesce(client_workload, client_ip) as client_name,
        forwarded,
        count(*) as transactions,
        min(start_time) as first_seen,
        max(start_time) as last_seen
    from dns
    where
        outcome <> 'unsolicited'
        and ($namespace is null or client_namespace = $namespace)
        and ($workload is null or client_workload = $workload)
    group by cluster, client_namespace, coalesce(client_workload, client_ip), forwarded
)

select
    cast(coalesce(sum(transactions) filter (where not forwarded), 0) as bigint) as transactions,
    cast(coalesce(sum(transactions) filter (where forwarded), 0) as bigint) as forwarded,
    count(*) filter (where not forwarded) as clients,
    min(first_seen) as first_seen,
    max(last_seen) as last_seen
from client
order by transactions
