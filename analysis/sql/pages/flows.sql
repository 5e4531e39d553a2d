-- question: Which connections were there?
-- grain: one row a connection; matching is how many there are on all pages together
-- read by: the page Flows
-- parameter namespace text null: one of the ends is of it
-- parameter workload text null: one of the ends is of it
-- parameter protocol integer null: IANA number
-- parameter port integer null: the port asked for, or the pod's behind a Service
-- parameter state text null: ok or failed
-- parameter text text null: part of an address, a name, a domain or a server name
-- parameter sort text start_time: start_time, duration, bytes, packets or handshake, the greatest first
-- parameter page_rows integer 50: rows on a page
-- parameter skip integer 0: rows on the pages before
with named as (
    select
        *,
        epoch(end_time) - epoch(start_time) as duration_s,
        src_bytes + dst_bytes as bytes,
        src_packets + dst_packets as packets
    from connections
    where ($namespace is null or src_namespace = $namespace or dst_namespace = $namespace)
        and ($workload is null or src_workload = $workload or dst_workload = $workload)
        and ($protocol is null or protocol = $protocol)
        and ($port is null or dst_port = $port or backend_port = $port)
),

matched as (
    select *
    from named
    where ($state is null or failed = ($state = 'failed'))
        and (
            $text is null
            or contains(lower(concat_ws(
                ' ', src_ip, dst_ip, backend_ip, src_workload, dst_workload, src_pod, dst_pod, service, dst_domain, tls_sni
            )), lower($text))
        )
)

select
    start_time,
    duration_s,
    src_namespace,
    coalesce(src_workload, src_ip) as src,
    dst_namespace,
    coalesce(dst_workload, dst_domain, dst_ip) as dst,
    protocol,
    dst_port,
    application,
    service,
    connection_state,
    failed,
    bytes,
    packets,
    src_bytes,
    dst_bytes,
    server_handshake_us,
    tls_sni,
    tls_version,
    tls_ech,
    dst_domain,
    src_pod,
    dst_pod,
    src_ip,
    src_port,
    dst_ip,
    backend_ip,
    backend_port,
    src_node,
    dst_node,
    verdict,
    connection_id,
    count(*) over () as matching
from matched
order by
    case $sort
        when 'duration' then duration_s
        when 'bytes' then bytes
        when 'packets' then packets
        when 'handshake' then server_handshake_us
    end desc nulls last,
    start_time desc,
    connection_id
limit $page_rows offset $skip
