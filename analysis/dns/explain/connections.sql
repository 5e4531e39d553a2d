-- question: To which addresses of a resolution did its client connect?
-- grain: one row a connection, in the order in which they were opened
-- read by: tailrace dns explain
-- parameter resolution text required: resolution_id
-- parameter again time null: when the client asked for the name again
with given as (
    select cluster, client_ip, start_time as given_time, unnest(addresses) as address
    from resolutions
    where resolution_id = $resolution
),

-- Of the sighting that tells most, where that is known; the intervals of one connection are put together.
opened as (
    select flows.*
    from flows
    inner join given on given.client_ip = flows.src_ip and given.address = flows.dst_ip
    where
        flows.cluster is not distinct from given.cluster
        and flows.start_time >= given.given_time
        and ($again is null or flows.start_time < $again)
        and coalesce(flows.counted <> 'not', true)
),

merged as (
    select
        connection_id,
        min(start_time) as start_time,
        max(end_time) as end_time,
        min(dst_ip) as dst_ip,
        min(dst_port) as dst_port,
        min(protocol) as protocol,
        coalesce(
            arg_max(connection_state, end_time) filter (where connection_state <> 'OTH'), max(connection_state)
        ) as connection_state,
        max(case when dst_packets > 0 then 1 else 0 end) = 1 as answered,
        min(server_handshake_us) as server_handshake_us,
        min(application) as application,
        min(tls_sni) as tls_sni,
        min(service_namespace) as service_namespace,
        min(service) as service,
        min(backend_ip) as backend_ip,
        min(backend_port) as backend_port,
        min(dst_namespace) as dst_namespace,
        min(dst_workload) as dst_workload,
        min(dst_pod) as dst_pod,
        min(dst_node) as dst_node
    from opened
    group by connection_id
)

select
    connection_id,
    start_time,
    end_time,
    dst_ip,
    dst_port,
    protocol,
    connection_state,
    case
        when protocol = 17 then not answered and (dst_port in (53, 123, 443) or coalesce(application in ('dns', 'quic'), false))
        else coalesce(connection_state in ('S0', 'SH', 'RSTOS0', 'REJ', 'RSTRH'), false)
    end as failed,
    server_handshake_us,
    application,
    tls_sni,
    service_namespace,
    service,
    backend_ip,
    backend_port,
    dst_namespace,
    dst_workload,
    dst_pod,
    dst_node
from merged
order by start_time, connection_id
