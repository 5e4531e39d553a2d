-- question: Which connections were there?
-- grain: one row a connection, the newest first
-- read by: tailrace ask
-- parameter namespace glob null: namespace of either end
-- parameter workload glob null: workload of either end
-- parameter pod pod null: pod of either end
-- parameter ip glob null: address of either end
-- parameter port integer null: port of either end, or of the pod behind the Service
-- parameter from_namespace glob null: namespace of src
-- parameter from_workload glob null: workload of src
-- parameter from_pod pod null: pod of src
-- parameter from_ip glob null: address of src
-- parameter to_namespace glob null: namespace of dst, or of the Service
-- parameter to_workload glob null: workload or Service that was dst
-- parameter to_pod pod null: pod of dst
-- parameter to_ip glob null: address of dst, or of the pod behind the Service
-- parameter to_port integer null: port of dst, or of the pod behind the Service
-- parameter protocol integer null: IANA protocol number
-- parameter domain glob null: name src knew dst by, or asked for by TLS
-- parameter state text null: Zeek's conn_state
-- parameter verdict text null: forwarded, dropped
-- parameter negate flag false: the connections that the other parameters do not select
with named as (
    select
        *,
        src_namespace || '/' || src_pod as src_full,
        dst_namespace || '/' || dst_pod as dst_full,
        coalesce(dst_namespace, service_namespace) as to_namespace
    from connections
),

matched as (
    select
        *,
        coalesce(
            (
                $namespace is null
                or coalesce(src_namespace like $namespace escape '!', false)
                or coalesce(to_namespace like $namespace escape '!', false)
            )
            and (
                $workload is null
                or coalesce(src_workload like $workload escape '!', false)
                or coalesce(dst_workload like $workload escape '!', false)
            )
            and (
                $pod is null
                or coalesce(src_full like $pod escape '!', false)
                or coalesce(dst_full like $pod escape '!', false)
            )
            and (
                $ip is null
                or src_ip like $ip escape '!'
                or dst_ip like $ip escape '!'
                or coalesce(backend_ip like $ip escape '!', false)
            )
            and ($port is null or $port in (coalesce(src_port, -1), coalesce(dst_port, -1), coalesce(backend_port, -1)))
            and ($from_namespace is null or src_namespace like $from_namespace escape '!')
            and ($from_workload is null or src_workload like $from_workload escape '!')
            and ($from_pod is null or src_full like $from_pod escape '!')
            and ($from_ip is null or src_ip like $from_ip escape '!')
            and ($to_namespace is null or to_namespace like $to_namespace escape '!')
            and (
                $to_workload is null
                or coalesce(dst_workload like $to_workload escape '!', false)
                or coalesce(service like $to_workload escape '!', false)
            )
            and ($to_pod is null or dst_full like $to_pod escape '!')
            and (
                $to_ip is null
                or dst_ip like $to_ip escape '!'
                or coalesce(backend_ip like $to_ip escape '!', false)
            )
            and ($to_port is null or $to_port in (coalesce(dst_port, -1), coalesce(backend_port, -1)))
            and ($protocol is null or protocol = $protocol)
            and (
                $domain is null
                or coalesce(lower(dst_domain) like lower($domain) escape '!', false)
                or coalesce(lower(tls_sni) like lower($domain) escape '!', false)
            )
            and ($state is null or connection_state = $state)
            and ($verdict is null or verdict = $verdict),
            false
        ) as selected
    from named
)

select
    start_time,
    coalesce(src_full, src_namespace || '/' || src_workload, src_workload, src_ip) as src,
    coalesce(dst_full, dst_namespace || '/' || dst_workload, dst_workload, dst_domain, dst_ip) as dst,
    protocol,
    src_ip,
    src_port,
    dst_ip,
    dst_port,
    application,
    connection_state,
    verdict,
    src_packets,
    src_bytes,
    dst_packets,
    dst_bytes,
    end_time,
    src_kind,
    src_namespace,
    src_workload_kind,
    src_workload,
    src_pod,
    dst_kind,
    dst_namespace,
    dst_workload_kind,
    dst_workload,
    dst_pod,
    service_namespace,
    service,
    service_port_name,
    backend_ip,
    backend_port,
    dst_domain,
    dst_registered_domain,
    domain_method,
    domain_confidence,
    array_to_string(domain_alternatives, ' ') as domain_alternatives,
    tls_sni,
    tls_version,
    tls_ech,
    server_handshake_us,
    client_handshake_us,
    src_retransmits,
    dst_retransmits,
    opened_by,
    started,
    ended,
    end_reason,
    drop_reason,
    reporter,
    node,
    sightings,
    connection_id
from matched
where selected <> $negate
order by start_time desc, connection_id
