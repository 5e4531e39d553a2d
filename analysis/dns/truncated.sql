-- question: Which answers were cut short, and how soon were they asked for again over TCP?
-- grain: one row a client workload (or address), server, name and type, those that never came whole first
-- read by: the DNS doctor, tailrace ask
-- parameter namespace text null: namespace of the client
-- parameter workload text null: workload of the client
with again as (
    select
        retry_of,
        min(epoch(start_time)) as at_s,
        min(epoch(response_time)) filter (where outcome = 'answered') as whole_s
    from dns
    where retry_of is not null
    group by retry_of
),

cut as (
    select
        transaction_id,
        client_namespace,
        client_workload_kind,
        coalesce(client_workload, client_ip) as client_name,
        coalesce(service_namespace || '/' || service, server_namespace || '/' || server_workload, server_ip) as server,
        qname,
        qtype,
        edns_udp_size,
        epoch(response_time) as at_s
    from dns
    where
        tc
        and transport = 'udp'
        and outcome = 'answered'
        and not forwarded
        and ($namespace is null or client_namespace = $namespace)
        and ($workload is null or client_workload = $workload)
),

tried as (
    select
        cut.*,
        again.retry_of,
        again.whole_s,
        cast(round((again.at_s - cut.at_s) * 1000000) as bigint) as wait_us,
        cast(round((again.whole_s - cut.at_s) * 1000000) as bigint) as added_us
    from cut
    left join again on cut.transaction_id = again.retry_of
)

select
    client_namespace,
    client_workload_kind,
    client_name,
    server,
    qname,
    qtype,
    count(*) as truncated,
    count(retry_of) as asked_again,
    count(whole_s) as answered_again,
    percentile_cont(0.50) within group (order by wait_us) as p50_wait_us,
    max(wait_us) as longest_wait_us,
    cast(coalesce(sum(added_us), 0) as bigint) as added_us,
    percentile_cont(0.50) within group (order by added_us) as p50_added_us,
    max(added_us) as longest_added_us,
    max(edns_udp_size) as edns_udp_size
from tried
group by client_namespace, client_workload_kind, client_name, server, qname, qtype
order by
    count(whole_s) = count(*), truncated desc,
    client_namespace, client_workload_kind, client_name, server, qname, qtype
