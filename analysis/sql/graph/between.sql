-- question: Which connections does a node of the service graph have, or an edge stand for?
-- grain: one row a connection
-- read by: the page Service graph
-- parameter namespace text null: one of the ends is of it
-- parameter workload text null: one of the ends is of it
-- parameter without_dns flag false: leave out edges to port 53
-- parameter without_nodes flag false: leave out edges with a node of the cluster
-- parameter without_outside flag false: leave out edges with an end outside the cluster, or unknown
-- parameter without_working flag false: leave out edges on which nothing failed
-- parameter either_kind text null: kind of the node, whichever end it is
-- parameter either_namespace text null: namespace of the node
-- parameter either_workload_kind text null: workload kind of the node
-- parameter either_name text null: name of the node
-- parameter src_kind text null: kind of the src of the edge
-- parameter src_namespace text null: namespace of the src of the edge
-- parameter src_workload_kind text null: workload kind of the src of the edge
-- parameter src_name text null: name of the src of the edge
-- parameter dst_kind text null: kind of the dst of the edge
-- parameter dst_namespace text null: namespace of the dst of the edge
-- parameter dst_workload_kind text null: workload kind of the dst of the edge
-- parameter dst_name text null: name of the dst of the edge
-- parameter protocol integer null: of the edge
-- parameter port integer null: of the edge, as the pod has it
with named as (
    select
        connection_id, start_time, end_time, service, connection_state, failed, src_bytes, dst_bytes,
        server_handshake_us, tls_sni, dst_domain, src_pod, dst_pod, src_ip, dst_ip,
        case when src_pod is not null then 'pod' else src_kind end as src_kind,
        src_namespace,
        src_workload_kind,
        src_workload,
        coalesce(src_workload, src_ip) as src,
        case when dst_pod is not null then 'pod' else dst_kind end as dst_kind,
        dst_namespace,
        dst_workload_kind,
        dst_workload,
        coalesce(dst_workload, dst_domain, dst_ip) as dst,
        protocol,
        coalesce(backend_port, dst_port) as port
    from connections
),

of_edges as (
    select
        *,
        count(*) filter (where failed) over (
            partition by
                src_kind, src_namespace, src_workload_kind, src,
                dst_kind, dst_namespace, dst_workload_kind, dst,
                protocol, port
        ) as failed_of_edge
    from named
),

drawn as (
    select *
    from of_edges
    where ($namespace is null or src_namespace = $namespace or dst_namespace = $namespace)
        and ($workload is null or src_workload = $workload or dst_workload = $workload)
        and not ($without_dns and port is not distinct from 53)
        and not ($without_nodes and (src_kind is not distinct from 'node' or dst_kind is not distinct from 'node'))
        and not (
            $without_outside
            and (coalesce(src_kind, 'external') = 'external' or coalesce(dst_kind, 'external') = 'external')
        )
        and not ($without_working and failed_of_edge = 0)
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
from drawn
where (
        $either_name is null
        or (src = $either_name and src_kind is not distinct from $either_kind
            and src_namespace is not distinct from $either_namespace
            and src_workload_kind is not distinct from $either_workload_kind)
        or (dst = $either_name and dst_kind is not distinct from $either_kind
            and dst_namespace is not distinct from $either_namespace
            and dst_workload_kind is not distinct from $either_workload_kind)
    )
    and ($src_name is null or (src = $src_name and src_kind is not distinct from $src_kind
        and src_namespace is not distinct from $src_namespace
        and src_workload_kind is not distinct from $src_workload_kind))
    and ($dst_name is null or (dst = $dst_name and dst_kind is not distinct from $dst_kind
        and dst_namespace is not distinct from $dst_namespace
        and dst_workload_kind is not distinct from $dst_workload_kind))
    and ($protocol is null or protocol = $protocol)
    and ($port is null or port = $port)
order by start_time desc, connection_id
