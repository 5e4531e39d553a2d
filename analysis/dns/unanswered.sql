-- question: Which queries were repeated or never answered, by whom, and how long did clients wait?
-- grain: one row a client workload (or address) and server, the most time lost first
-- read by: the DNS doctor
-- parameter namespace text null: namespace of the client
-- parameter workload text null: workload of the client
-- parameter least integer 2: fewest transactions that were not answered at once
with asked as (
    select
        client_namespace,
        client_workload_kind,
        coalesce(client_workload, client_ip) as client_name,
        coalesce(server_namespace || '/' || coalesce(server_pod, server_workload), server_ip) as server,
        client_node,
        server_node,
        qname,
        start_time,
        attempts,
        latency_us,
        outcome
    from dns
    where outcome <> 'unsolicited' and not forwarded
        and ($namespace is null or client_namespace = $namespace)
        and ($workload is null or client_workload = $workload)
)

select
    client_namespace,
    client_workload_kind,
    client_name,
    server,
    count(*) as transactions,
    count(*) filter (where outcome = 'unanswered') as unanswered,
    count(*) filter (where outcome = 'answered' and attempts > 1) as answered_late,
    cast(sum(attempts) as bigint) as queries,
    cast(coalesce(sum(latency_us) filter (where attempts > 1), 0) as bigint) as waited_us,
    max(latency_us) filter (where attempts > 1) as longest_us,
    count(distinct qname) filter (where outcome = 'unanswered' or attempts > 1) as names,
    min(qname) filter (where outcome = 'unanswered' or attempts > 1) as example,
    min(start_time) filter (where outcome = 'unanswered' or attempts > 1) as first_seen,
    max(start_time) filter (where outcome = 'unanswered' or attempts > 1) as last_seen
from asked
group by client_namespace, client_workload_kind, client_name, server
having count(*) filter (where outcome = 'unanswered' or attempts > 1) >= $least
order by unanswered desc, waited_us desc, client_namespace, client_workload_kind, client_name, server
