-- question: Which connections does a node of the service graph have, or an edge stand for?
-- grain: one row a connection
-- read by: the page Service graph
-- parameter either_namespace text null: namespace of the node, whichever end it is
-- parameter either_workload_kind text null: workload kind of the node
-- parameter either_name text null: name of the node, whichever end it is
-- parameter src_namespace text null: namespace of the src of the edge
-- parameter src_workload_kind text null: workload kind of the src of the edge
-- parameter src_name text null: name of the src of the edge
-- parameter dst_namespace text null: namespace of the dst of the edge
-- parameter dst_workload_kind text null: workload kind of the dst of the edge
-- parameter dst_name text null: name of the dst of the edge
-- parameter protocol integer null: of the edge
-- parameter port integer null: of the edge, as the pod has it
with named as (
    select
        *,
        coalesce(src_workload, src_ip) as src,
        coalesce(dst_workload, dst_domain, dst_ip) as dst,
        coalesce(backend_port, dst_port) as port
    from connections
)

select
    start_time,
    epoch(end_time) - epoch(start_time) as duration_s,
    src_namespace,
    src,
    dst_namespace,
    dst,
    protocol,
    port,
    service,
    connection_state,
    src_bytes,
    dst_bytes,
    server_handshake_us,
    tls_sni,
    dst_domain,
    src_pod,
    dst_pod,
    src_ip,
    dst_ip
from named
where (
        $either_name is null
        or (src = $either_name and src_namespace is not distinct from $either_namespace
            and src_workload_kind is not distinct from $either_workload_kind)
        or (dst = $either_name and dst_namespace is not distinct from $either_namespace
            and dst_workload_kind is not distinct from $either_workload_kind)
    )
    and ($src_name is null or (src = $src_name and src_namespace is not distinct from $src_namespace
        and src_workload_kind is not distinct from $src_workload_kind))
    and ($dst_name is null or (dst = $dst_name and dst_namespace is not distinct from $dst_namespace
        and dst_workload_kind is not distinct from $dst_workload_kind))
    and ($protocol is null or protocol = $protocol)
    and ($port is null or port = $port)
order by start_time desc, connection_id
