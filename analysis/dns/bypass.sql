-- question: Who asks for names past the cluster's own DNS?
-- grain: one row a client workload (or address), way (dns, over tls, over https) and server, the most uses first
-- read by: the DNS doctor
-- parameter namespace text null: namespace of the client
-- parameter workload text null: workload of the client
-- parameter least integer 1: fewest queries, or connections
with plain as (
    select
        'dns' as way,
        client_namespace,
        client_workload_kind,
        coalesce(client_workload, client_ip) as client_name,
        server_ip as server,
        server_ip,
        count(*) as uses,
        sum(attempts) as queries,
        count(*) filter (where outcome = 'answered') as answered,
        sum(latency_us) as waited_us,
        count(distinct qname) as names,
        min(qname) as example,
        min(start_time) as first_seen,
        max(start_time) as last_seen
    from dns
    where client_kind = 'pod' and server_kind = 'external' and not forwarded and outcome <> 'unsolicited'
        -- A link-local server is the node's own cache; only clouds answer at 169.254.169.x. Multicast asks no server.
        and (server_ip not like '169.254.%' or server_ip like '169.254.169.%')
        and server_ip not like '224.0.0.%' and server_ip not like 'fe80:%' and server_ip not like 'ff02:%'
    group by client_namespace, client_workload_kind, coalesce(client_workload, client_ip), server_ip
),

opened as (
    select
        case when dst_port = 853 then 'dns over tls' else 'dns over https' end as way,
        src_namespace as client_namespace,
        src_workload_kind as client_workload_kind,
        coalesce(src_workload, src_ip) as client_name,
        coalesce(tls_sni, dst_domain, dst_ip) as server,
        dst_ip as server_ip,
        connection_id,
        dst_packets > 0 as answered,
        start_time
    from flows
    where src_kind = 'pod' and dst_kind = 'external' and protocol in (6, 17)
        and (
            dst_port = 853
            or dst_port = 443
            and (
                coalesce(tls_sni, dst_domain, dst_ip) in (select name from public_resolvers)
                or substr(coalesce(tls_sni, dst_domain), strpos(coalesce(tls_sni, dst_domain), '.') + 1)
                in (select name from public_resolvers)
            )
        )
),

secret as (
    select
        way, client_namespace, client_workload_kind, client_name, server, min(server_ip) as server_ip,
        count(distinct connection_id) as uses, 0 as queries,
        count(distinct case when answered then connection_id end) as answered, 0 as waited_us,
        null as names, null as example, min(start_time) as first_seen, max(start_time) as last_seen
    from opened
    group by way, client_namespace, client_workload_kind, client_name, server
),

used as (
    select * from plain
    union all
    select * from secret
),

-- A name server of the cluster asks others, on whatever way.
servers as (
    select distinct server_namespace, server_workload
    from dns
    where outcome = 'answered' and server_workload in (select client_name from used)
)

select
    used.way,
    used.client_namespace,
    used.client_workload_kind,
    used.client_name,
    used.server,
    used.server_ip,
    coalesce(exact.operator, above.operator) as operator,
    cast(used.uses as bigint) as uses,
    cast(used.answered as bigint) as answered,
    cast(used.queries as bigint) as queries,
    cast(coalesce(used.waited_us, 0) as bigint) as waited_us,
    cast(used.names as bigint) as names,
    used.example,
    used.first_seen,
    used.last_seen
from used
left join servers on servers.server_workload = used.client_name and servers.server_namespace = used.client_namespace
left join public_resolvers as exact on exact.name = used.server
left join public_resolvers as above on above.name = substr(used.server, strpos(used.server, '.') + 1)
where used.uses >= $least
    and ($namespace is null or client_namespace = $namespace)
    and ($workload is null or used.client_name = $workload)
    and servers.server_workload is null
order by uses desc, way, client_namespace, client_workload_kind, client_name, server
