-- question: Which names were asked for, and what came back?
-- grain: one row a DNS transaction, the newest first
-- read by: tailrace ask
-- parameter namespace glob null: namespace of the client or the server
-- parameter workload glob null: workload of the client or the server
-- parameter pod pod null: pod of the client or the server
-- parameter ip glob null: address of the client or the server
-- parameter port integer null: port of the client or the server
-- parameter from_namespace glob null: namespace of the client
-- parameter from_workload glob null: workload of the client
-- parameter from_pod pod null: pod of the client
-- parameter from_ip glob null: address of the client
-- parameter to_namespace glob null: namespace of the server
-- parameter to_workload glob null: workload of the server
-- parameter to_pod pod null: pod of the server
-- parameter to_ip glob null: address of the server
-- parameter to_port integer null: port of the server
-- parameter protocol text null: udp, tcp
-- parameter domain glob null: name that was asked for
-- parameter registered_domain glob null: the registered part of that name
-- parameter qtype text null: type that was asked for
-- parameter rcode text null: response code
-- parameter outcome text null: answered, unanswered, unsolicited
-- parameter answered_from text null: where the server had the answer: zone, cache, upstream
-- parameter latency_over integer null: milliseconds that the answer took longer than
-- parameter resolution text null: resolution_id of the resolver call that it belongs to
-- parameter negate flag false: the transactions that the other parameters do not select
with named as (
    select
        *,
        client_namespace || '/' || client_pod as client_full,
        server_namespace || '/' || server_pod as server_full
    from dns
),

matched as (
    select
        *,
        coalesce(
            (
                $namespace is null
                or coalesce(client_namespace like $namespace escape '!', false)
                or coalesce(server_namespace like $namespace escape '!', false)
            )
            and (
                $workload is null
                or coalesce(client_workload like $workload escape '!', false)
                or coalesce(server_workload like $workload escape '!', false)
            )
            and (
                $pod is null
                or coalesce(client_full like $pod escape '!', false)
                or coalesce(server_full like $pod escape '!', false)
            )
            and ($ip is null or client_ip like $ip escape '!' or server_ip like $ip escape '!')
            and ($port is null or $port in (client_port, server_port))
            and ($from_namespace is null or client_namespace like $from_namespace escape '!')
            and ($from_workload is null or client_workload like $from_workload escape '!')
            and ($from_pod is null or client_full like $from_pod escape '!')
            and ($from_ip is null or client_ip like $from_ip escape '!')
            and ($to_namespace is null or server_namespace like $to_namespace escape '!')
            and ($to_workload is null or server_workload like $to_workload escape '!')
            and ($to_pod is null or server_full like $to_pod escape '!')
            and ($to_ip is null or server_ip like $to_ip escape '!')
            and ($to_port is null or server_port = $to_port)
            and ($protocol is null or transport = $protocol)
            and ($domain is null or lower(qname) like lower($domain) escape '!')
            and ($registered_domain is null or lower(registered_domain) like lower($registered_domain) escape '!')
            and ($qtype is null or qtype = upper($qtype))
            and ($rcode is null or rcode = upper($rcode))
            and ($outcome is null or outcome = $outcome)
            and ($answered_from is null or answered_from = $answered_from)
            and ($latency_over is null or latency_us > 1000 * $latency_over)
            and ($resolution is null or resolution_id = $resolution),
            false
        ) as selected
    from named
)

select
    start_time,
    coalesce(client_full, client_namespace || '/' || client_workload, client_workload, client_ip) as client,
    coalesce(server_full, server_namespace || '/' || server_workload, server_workload, server_ip) as server,
    qname,
    qname_raw,
    qtype,
    rcode,
    outcome,
    latency_us,
    attempts,
    answered_from,
    upstream_us,
    transport,
    answers,
    client_ip,
    client_port,
    server_ip,
    server_port,
    id,
    query_time,
    response_time,
    tc,
    aa,
    ra,
    query_bytes,
    response_bytes,
    edns_udp_size,
    edns_error,
    client_kind,
    client_namespace,
    client_workload_kind,
    client_workload,
    client_pod,
    server_kind,
    server_namespace,
    server_workload_kind,
    server_workload,
    server_pod,
    service_namespace,
    service,
    reporter,
    node,
    registered_domain,
    forwarded,
    transaction_id,
    resolution_id,
    retry_of
from matched
where selected <> $negate
order by start_time desc, transaction_id
