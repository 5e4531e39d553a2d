-- One row for src workload, dst workload, protocol and port: connections counted once.
-- The port is the pod's where a Service stands between. Outside the cluster, dst_name is the domain src knew dst by.
with ends as (
    select
        cluster,
        case when src_pod is not null then 'pod' else src_kind end as src_kind,
        src_namespace,
        src_workload_kind,
        src_workload,
        coalesce(src_workload, src_ip) as src_name,
        case when dst_pod is not null then 'pod' else dst_kind end as dst_kind,
        dst_namespace,
        dst_workload_kind,
        dst_workload,
        coalesce(dst_workload, dst_domain, dst_ip) as dst_name,
        protocol,
        coalesce(backend_port, dst_port) as port,
        service,
        {'namespace': service_namespace, 'name': service, 'port_name': service_port_name} as by_service,
        failed,
        src_packets, src_bytes, dst_packets, dst_bytes, start_time, end_time
    from connections
),

merged as (
    select
        cluster,
        src_kind, src_namespace, src_workload_kind, src_workload, src_name,
        dst_kind, dst_namespace, dst_workload_kind, dst_workload, dst_name,
        protocol, port,
        count(*) as connections,
        count(*) filter (where failed) as failed,
        cast(sum(src_packets) as bigint) as src_packets,
        cast(sum(src_bytes) as bigint) as src_bytes,
        cast(sum(dst_packets) as bigint) as dst_packets,
        cast(sum(dst_bytes) as bigint) as dst_bytes,
        min(by_service) filter (where service is not null) as by_service,
        min(start_time) as first_seen,
        max(end_time) as last_seen
    from ends
    group by all
)

select
    cluster,
    src_kind, src_namespace, src_workload_kind, src_workload, src_name,
    dst_kind, dst_namespace, dst_workload_kind, dst_workload, dst_name,
    protocol, port,
    by_service.namespace as service_namespace, by_service.name as service, by_service.port_name as service_port_name,
    connections, failed, src_packets, src_bytes, dst_packets, dst_bytes, first_seen, last_seen
from merged
