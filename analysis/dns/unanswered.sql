-- question: Which queries were repeated or never answered, by whom, at which server, and how long did clients wait?
-- grain: one row a client workload, its node, server, and zone, the most lost first; what lost nothing is together under NULL
-- read by: the DNS doctor, tailrace ask
-- What was answered late with an error waited for an upstream: dns/servfail tells of it.
-- parameter namespace text null: namespace of the client
-- parameter workload text null: workload of the client
-- parameter late_us integer 300000: an answer to a repeated query is late from here (no resolver repeats sooner)
-- parameter zones integer 200: of so many zones, those that lost most, all transactions are told
with asked as (
    select
        transaction_id,
        resolution_id,
        client_namespace,
        client_workload_kind,
        coalesce(client_workload, client_ip) as client_name,
        coalesce(client_namespace || '/', '') || coalesce(client_workload, client_ip) as client,
        client_node,
        coalesce(
            server_namespace || '/' || server_pod,
            case when service is null then coalesce(server_namespace || '/' || server_workload, server_ip) end
        ) as server,
        service_namespace || '/' || service as service,
        server_node,
        coalesce(registered_domain, qname) as name,
        qname,
        start_time,
        coalesce(latency_us, 0) as latency_us,
        outcome = 'unanswered' as never,
        outcome = 'unanswered' or coalesce(attempts > 1 and latency_us >= $late_us and rcode in ('NOERROR', 'NXDOMAIN'), false)
            as lost
    from dns
    where
        outcome <> 'unsolicited'
        and not forwarded
        and ($namespace is null or client_namespace = $namespace)
        and ($workload is null or client_workload = $workload)
),

troubled as (
    select *, row_number() over (partition by coalesce(resolution_id, transaction_id) order by start_time, transaction_id) as place
    from asked
    where lost
),

zone as (
    select name
    from troubled
    where name is not null
    group by name
    order by count(*) desc, name
    limit $zones
),

waited as (
    select
        resolution_id,
        lost_of_pair > 0 as of_pair,
        case
            when outcome = 'answered' then duration_us
            else cast(round((epoch(end_time) - epoch(start_time)) * 1000000) as bigint)
        end as waited_us
    from resolutions
    where (retries > 0 or unanswered > 0) and not forwarded
),

untroubled as (
    select
        client_namespace,
        client_workload_kind,
        client_name,
        client,
        client_node,
        server,
        service,
        server_node,
        case when name in (select name from zone) then name end as zone,
        count(*) as transactions
    from asked
    where not lost
    group by all
),

weighed as (
    select
        case when client in (select client from troubled) then client_namespace end as client_namespace,
        case when client in (select client from troubled) then client_workload_kind end as client_workload_kind,
        case when client in (select client from troubled) then client_name end as client_name,
        case when client_node in (select client_node from troubled where client_node is not null) then client_node end
            as client_node,
        case when server in (select server from troubled where server is not null) then server end as server,
        case when service in (select service from troubled where service is not null) then service end as service,
        case when server in (select server from troubled where server is not null) then server_node end as server_node,
        zone,
        transactions,
        false as never,
        false as lost,
        false as of_pair,
        false as is_call,
        cast(0 as bigint) as waited_us,
        cast(null as varchar) as qname,
        cast(null as timestamp with time zone) as start_time
    from untroubled
    union all
    select
        client_namespace,
        client_workload_kind,
        client_name,
        client_node,
        server,
        service,
        server_node,
        case when name in (select name from zone) then name end as zone,
        1 as transactions,
        never,
        lost,
        coalesce(waited.of_pair, false) as of_pair,
        place = 1 as is_call,
        case when place = 1 then coalesce(waited.waited_us, troubled.latency_us) end as waited_us,
        qname,
        start_time
    from troubled
    left join waited on waited.resolution_id = troubled.resolution_id
)

select
    client_namespace,
    client_workload_kind,
    client_name,
    client_node,
    server,
    service,
    server_node,
    zone,
    cast(sum(transactions) as bigint) as transactions,
    count(*) filter (where never) as unanswered,
    count(*) filter (where lost and not never) as answered_late,
    count(*) filter (where of_pair) as of_pair,
    count(*) filter (where is_call) as calls,
    cast(coalesce(sum(waited_us), 0) as bigint) as waited_us,
    cast(coalesce(max(waited_us), 0) as bigint) as longest_us,
    count(*) filter (where waited_us between 900000 and 1400000) as waits_1s,
    count(*) filter (where waited_us between 2300000 and 2900000) as waits_2_5s,
    count(*) filter (where waited_us between 4700000 and 5900000) as waits_5s,
    count(*) filter (where waited_us between 9500000 and 11500000) as waits_10s,
    count(distinct qname) as names,
    min(qname) as example,
    min(start_time) as first_seen,
    max(start_time) as last_seen
from weighed
group by client_namespace, client_workload_kind, client_name, client_node, server, service, server_node, zone
order by
    count(*) filter (where lost) desc, transactions desc,
    client_namespace, client_workload_kind, client_name, client_node, server, service, server_node, zone
