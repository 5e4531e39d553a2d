-- question: How much was asked by these clients, and when?
-- grain: one row
-- read by: the DNS doctor and the detections, which say how much they judged
-- parameter namespace text null: namespace of the client
-- parameter workload text null: workload of the client
-- forwarded: transactions in which a name server asks for others; all else is what clients asked.
select
    count(*) filter (where not forwarded) as transactions,
    count(*) filter (where forwarded) as forwarded,
    count(distinct case when not forwarded then coalesce(cluster, '') || '|' || coalesce(client_namespace, '') || '|'
        || coalesce(client_workload, client_ip) end) as clients,
    min(start_time) as first_seen,
    max(start_time) as last_seen
from dns
where
    outcome <> 'unsolicited'
    and ($namespace is null or client_namespace = $namespace)
    and ($workload is null or client_workload = $workload)
order by transactions
