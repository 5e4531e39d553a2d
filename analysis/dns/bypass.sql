-- question: Who asks for names past the cluster's own DNS?
-- grain: one row a client workload (or address), way (dns, dns over tls, dns over https) and server, the most uses first
-- read by: the DNS doctor
-- parameter namespace text null: namespace of the client
-- parameter workload text null: workload of the client
-- parameter least integer 1: fewest queries, or connections
with asked as (
    select
        client_kind,
        client_namespace,
        client_workload_kind,
        coalesce(client_workload, client_ip) as client_name,
        server_namespace,
        server_workload,
        -- A link-local server is the node's own cache; only clouds answer at 169.254.169.x. Multicast asks no server.
        case
            when client_kind = 'pod' and server_kind = 'external' and not forwarded
                and (server_ip not like '169.254.%' or server_ip like '169.254.169.%')
                and server_ip not like '224.0.0.%' and server_ip not like 'fe80:%' and server_ip not like 'ff02:%'
                then server_ip
        end as outside,
        qname,
        attempts,
        latency_us,
        outcome,
        start_time
    from dns
    where outcome <> 'unsolicited'
),

summed as (
    select
        client_namespace,
        client_workload_kind,
        client_name,
        server_namespace,
        server_workload,
        outside,
        count(*) as transactions,
        sum(attempts) as queries,
        count(*) filter (where outcome = 'answered') as answered,
        sum(latency_us) as waited_us,
        count(distinct case when outside is not null then qname end) as names,
        min(case when outside is not null then qname end) as example,
        min(start_time) as first_seen,
        max(start_time) as last_seen
    from asked
    group by client_namespace, client_workload_kind, client_name, server_namespace, server_workload, outside
),

plain as (
    select
        'dns' as way, client_namespace, client_workload_kind, client_name, outside as server, outside as server_ip,
        sum(transactions) as uses, sum(queries) as queries, sum(answered) as answered, sum(waited_us) as waited_us,
        sum(names) as names, min(example) as example, min(first_seen) as first_seen, max(last_seen) as last_seen
    from summed
    where outside is not null
    group by client_namespace, client_workload_kind, client_name, outside
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
left join public_resolvers as exact on exact.name = used.server
left join public_resolvers as above on above.name = substr(used.server, strpos(used.server, '.') + 1)
where used.uses >= $least
    and ($namespace is null or client_namespace = $namespace)
    and ($workload is null or used.client_name = $workload)
    -- A name server of the cluster asks others, on whatever way.
    and not exists (
        select 1
        from summed
        where summed.server_workload = used.client_name and summed.server_namespace = used.client_namespace
            and summed.answered > 0
    )
order by uses desc, way, client_namespace, client_workload_kind, client_name, server
