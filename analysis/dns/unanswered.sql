-- question: Which queries were repeated or never answered, by whom, at which server, and how long did clients wait?
-- grain: one row a client workload, its node, server, and zone that lost; zone NULL: all that was asked between them
-- read by: the DNS doctor, tailrace ask
-- What was answered late with an error waited for an upstream: dns/servfail tells of it.
-- parameter namespace text null: namespace of the client
-- parameter workload text null: workload of the client
-- parameter late_us integer 300000: an answer to a repeated query is late from here (no resolver repeats sooner)
-- parameter least integer 2: fewest that a client, node, server or zone lost to be told apart
-- parameter usual integer 2000: who loses less than one of so many is NULL, as any network loses that
-- parameter pending_s integer 10: what was asked so shortly before the records of its node end may yet have been answered
with ending as (
    select node as covered_node, max(until_time) as records_end
    from coverage
    group by node
),

troubled as (
    select
        resolution_id,
        client_namespace,
        client_workload_kind,
        coalesce(client_workload, client_ip) as client_name,
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
        case
            when resolution_id is null then 1
            else row_number() over (partition by resolution_id order by start_time, qname, qtype, server_ip)
        end as place
    from dns
    left join ending on ending.covered_node is not distinct from dns.node
    where
        -- One column alone, which the scan looks at before it reads the others.
        (latency_us is null or latency_us >= $late_us)
        and (
            (outcome = 'unanswered' and coalesce(epoch(records_end) - epoch(start_time) >= $pending_s, true))
            or (outcome = 'answered' and attempts > 1 and latency_us >= $late_us and rcode in ('NOERROR', 'NXDOMAIN'))
        )
        and not forwarded
        and ($namespace is null or client_namespace = $namespace)
        and ($workload is null or client_workload = $workload)
),

lost_zone as (
    select name, count(*) as lost from troubled group by name having count(*) >= $least
),

zone as (
    select
        coalesce(registered_domain, qname) as name,
        server_namespace,
        server_pod,
        case when server_pod is null and service is null then server_workload end as server_workload,
        case when server_pod is null and service is null then server_ip end as server_ip,
        count(*) as transactions
    from dns
    where
        coalesce(registered_domain, qname) in (select name from lost_zone)
        and outcome <> 'unsolicited'
        and not forwarded
        and ($namespace is null or client_namespace = $namespace)
        and ($workload is null or client_workload = $workload)
    group by all
),

zone_at_server as (
    select
        name,
        coalesce(server_namespace || '/' || server_pod, server_namespace || '/' || server_workload, server_ip) as server,
        sum(transactions) as transactions
    from zone
    group by all
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

asked as (
    select
        client_namespace,
        client_workload_kind,
        client_workload,
        case when client_workload is null then client_ip end as client_ip,
        client_node,
        server_namespace,
        server_pod,
        case when server_pod is null and service is null then server_workload end as server_workload,
        case when server_pod is null and service is null then server_ip end as server_ip,
        count(*) as transactions
    from dns
    where
        outcome <> 'unsolicited'
        and not forwarded
        and ($namespace is null or client_namespace = $namespace)
        and ($workload is null or client_workload = $workload)
    group by all
),

seen as (
    select
        client_namespace,
        client_workload_kind,
        coalesce(client_workload, client_ip) as client_name,
        client_node,
        coalesce(server_namespace || '/' || server_pod, server_namespace || '/' || server_workload, server_ip) as server,
        cast(null as varchar) as service,
        cast(null as varchar) as server_node,
        cast(null as varchar) as zone,
        transactions,
        false as lost,
        false as never,
        false as of_pair,
        cast(null as bigint) as waited_us,
        cast(null as varchar) as qname,
        cast(null as timestamp with time zone) as start_time
    from asked
    union all
    select
        client_namespace,
        client_workload_kind,
        client_name,
        client_node,
        server,
        service,
        server_node,
        name as zone,
        0 as transactions,
        true as lost,
        never,
        coalesce(waited.of_pair, false) as of_pair,
        case when place = 1 then coalesce(waited.waited_us, troubled.latency_us) end as waited_us,
        qname,
        start_time
    from troubled
    left join waited on waited.resolution_id = troubled.resolution_id
),

counted as (
    select
        coalesce(client_namespace || '/', '') || client_name as client,
        client_namespace,
        client_workload_kind,
        client_name,
        client_node,
        server,
        service,
        server_node,
        zone,
        sum(transactions) as transactions,
        count(*) filter (where lost) as lost,
        count(*) filter (where never) as unanswered,
        count(*) filter (where of_pair) as of_pair,
        count(waited_us) as calls,
        sum(waited_us) as waited_us,
        max(waited_us) as longest_us,
        count(*) filter (where waited_us between 900000 and 1400000) as waits_1s,
        count(*) filter (where waited_us between 2300000 and 2900000) as waits_2_5s,
        count(*) filter (where waited_us between 4700000 and 5900000) as waits_5s,
        count(*) filter (where waited_us between 9500000 and 11500000) as waits_10s,
        min(qname) as example,
        min(start_time) as first_seen,
        max(start_time) as last_seen
    from seen
    group by client_namespace, client_workload_kind, client_name, client_node, server, service, server_node, zone
),

suspect_client as (
    select client
    from counted
    group by client
    having sum(lost) >= $least and sum(lost) * $usual >= sum(transactions)
),

suspect_node as (
    select client_node
    from counted
    group by client_node
    having sum(lost) >= $least and sum(lost) * $usual >= sum(transactions)
),

suspect_server as (
    select server
    from counted
    group by server
    having sum(lost) >= $least and sum(lost) * $usual >= sum(transactions)
),

suspect_zone as (
    select lost_zone.name as zone, sum(zone.transactions) as transactions
    from lost_zone
    inner join zone on zone.name = lost_zone.name
    group by lost_zone.name
    having max(lost_zone.lost) * $usual >= sum(zone.transactions)
),

told as (
    select
        case when suspect_client.client is not null then counted.client_namespace end as client_namespace,
        case when suspect_client.client is not null then counted.client_workload_kind end as client_workload_kind,
        case when suspect_client.client is not null then counted.client_name end as client_name,
        suspect_node.client_node,
        suspect_server.server,
        case when counted.server is null then counted.service end as service,
        case when suspect_server.server is not null then counted.server_node end as server_node,
        suspect_zone.zone,
        suspect_zone.transactions as zone_transactions,
        case when suspect_server.server is not null then zone_at_server.transactions end as zone_server_transactions,
        counted.transactions,
        counted.lost,
        counted.unanswered,
        counted.of_pair,
        counted.calls,
        counted.waited_us,
        counted.longest_us,
        counted.waits_1s,
        counted.waits_2_5s,
        counted.waits_5s,
        counted.waits_10s,
        counted.example,
        counted.first_seen,
        counted.last_seen
    from counted
    left join suspect_client on suspect_client.client = counted.client
    left join suspect_node on suspect_node.client_node = counted.client_node
    left join suspect_server on suspect_server.server = counted.server
    left join suspect_zone on suspect_zone.zone = counted.zone
    left join zone_at_server on zone_at_server.name = suspect_zone.zone and zone_at_server.server = counted.server
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
    cast(zone_transactions as bigint) as zone_transactions,
    cast(zone_server_transactions as bigint) as zone_server_transactions,
    cast(sum(unanswered) as bigint) as unanswered,
    cast(sum(lost) - sum(unanswered) as bigint) as answered_late,
    cast(sum(of_pair) as bigint) as of_pair,
    cast(sum(calls) as bigint) as calls,
    cast(coalesce(sum(waited_us), 0) as bigint) as waited_us,
    cast(coalesce(max(longest_us), 0) as bigint) as longest_us,
    cast(sum(waits_1s) as bigint) as waits_1s,
    cast(sum(waits_2_5s) as bigint) as waits_2_5s,
    cast(sum(waits_5s) as bigint) as waits_5s,
    cast(sum(waits_10s) as bigint) as waits_10s,
    min(example) as example,
    min(first_seen) as first_seen,
    max(last_seen) as last_seen
from told
group by client_namespace, client_workload_kind, client_name, client_node, server, service, server_node, zone, zone_transactions,
    zone_server_transactions
order by
    sum(lost) desc, sum(transactions) desc,
    client_namespace, client_workload_kind, client_name, client_node, server, service, server_node, zone
