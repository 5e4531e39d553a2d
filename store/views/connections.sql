-- One row a connection: what its best sighting counted, and the names that any sighting knew.
-- A sighting is what one interface of one node saw, in one tunnel or in none. The best one saw both directions (where the
-- answers take another way than the questions, an uplink sees one of them only) and is nearest to src (reporter src, dst,
-- fwd, unknown), untunnelled before tunnelled, then the first by name; its records (one an interval) are summed.
-- Sightings after a translation of the source (masquerade) come last of all: their src is the node's.
-- A sighting that missed the opening may have the ends the other way round: one that saw it goes before, and only those
-- that agree with the best on who is src lend their names.
-- failed: dst never answered (Zeek's S0, SH, RSTOS0) or refused (REJ, RSTRH). Of UDP, silence is a failure only where an
-- answer is due (DNS, NTP, QUIC, on their ports or by what the packets show): syslog and statsd never get one.
-- What src's node tells in records with another id is left out (repeated).
-- Each end is taken whole from one record, so that no pod of one record meets the namespace of another.
with sided as (
    select
        *,
        max(src_packets) over sighted > 0 and max(dst_packets) over sighted > 0 as both_ways,
        coalesce(src_ip = src_nat_ip and src_port is not distinct from src_nat_port, false) as is_translated
    from flows
    window sighted as (
        partition by connection_id, node, interface, tunnel, tunnel_id, vlan, src_ip, src_port, dst_ip, dst_port
    )
),

records as (
    select
        * exclude (both_ways, is_translated),
        src_ip || ' ' || coalesce(src_port, -1) as facing,
        dense_rank() over (
            partition by connection_id
            order by
                is_translated,
                case when both_ways then 0 else 1 end,
                case reporter when 'src' then 0 when 'dst' then 1 when 'fwd' then 2 else 3 end,
                case when tunnel is null then 0 else 1 end,
                interface nulls last, node nulls last, tunnel, tunnel_id, vlan, dst_ip, dst_port, src_ip, src_port
        ) as sighting,
        arg_min(src_ip || ' ' || coalesce(src_port, -1), start_time) filter (where started and not is_translated)
            over (partition by connection_id) as opener
    from sided
),

ordered as (
    select
        *,
        row_number() over nearest as place,
        first_value(sighting) over nearest as best_sighting,
        first_value(facing) over nearest as best_facing
    from records
    window nearest as (
        partition by connection_id
        order by case when facing = opener then 0 else 1 end, sighting, start_time, end_time
    )
),

placed as (
    select
        *,
        sighting = best_sighting as is_best,
        place + 1000000000000 * case
            when src_pod is not null then 0
            when src_workload is not null then 1
            when src_kind is not null then 2
            else 3
        end as src_place,
        place + 1000000000000 * case
            when dst_pod is not null then 0
            when dst_workload is not null then 1
            when dst_kind is not null then 2
            else 3
        end as dst_place,
        {
            'kind': src_kind, 'namespace': src_namespace, 'pod': src_pod, 'workload_kind': src_workload_kind,
            'workload': src_workload, 'node': src_node, 'zone': src_zone
        } as src,
        {
            'kind': dst_kind, 'namespace': dst_namespace, 'pod': dst_pod, 'workload_kind': dst_workload_kind,
            'workload': dst_workload, 'node': dst_node, 'zone': dst_zone
        } as dst
    from ordered
    where facing = best_facing
),

merged as (
    select
        connection_id,
        min(start_time) filter (where is_best) as start_time,
        max(end_time) filter (where is_best) as end_time,
        arg_min(cluster, place) filter (where cluster is not null) as cluster,
        arg_min(node, place) filter (where is_best) as node,
        arg_min(interface, place) filter (where is_best) as interface,
        arg_min(reporter, place) filter (where is_best) as reporter,
        arg_min(src_ip, place) as src_ip,
        arg_min(src_port, place) filter (where is_best) as src_port,
        arg_min(dst_ip, place) as dst_ip,
        arg_min(dst_port, place) filter (where is_best) as dst_port,
        arg_min(protocol, place) as protocol,
        arg_min(icmp_type, place) filter (where is_best) as icmp_type,
        arg_min(icmp_code, place) filter (where is_best) as icmp_code,
        arg_min(community_id, place) filter (where community_id is not null) as community_id,
        arg_min(
            opened_by,
            case opened_by when 'syn' then 0 when 'syn_ack' then 1 when 'listener' then 2 when 'port' then 3 else 4 end
        ) as opened_by,
        bool_or(started) as started,
        bool_or(ended) as ended,
        arg_max(end_reason, place) filter (where is_best) as end_reason,
        cast(sum(src_packets) filter (where is_best) as bigint) as src_packets,
        cast(sum(src_bytes) filter (where is_best) as bigint) as src_bytes,
        bit_or(src_tcp_flags) filter (where is_best) as src_tcp_flags,
        cast(sum(src_retransmits) filter (where is_best) as bigint) as src_retransmits,
        cast(sum(src_zero_windows) filter (where is_best) as bigint) as src_zero_windows,
        cast(sum(dst_packets) filter (where is_best) as bigint) as dst_packets,
        cast(sum(dst_bytes) filter (where is_best) as bigint) as dst_bytes,
        bit_or(dst_tcp_flags) filter (where is_best) as dst_tcp_flags,
        cast(sum(dst_retransmits) filter (where is_best) as bigint) as dst_retransmits,
        cast(sum(dst_zero_windows) filter (where is_best) as bigint) as dst_zero_windows,
        arg_max(connection_state, place) filter (where is_best and connection_state <> 'OTH') as last_state,
        arg_max(connection_state, place) filter (where is_best) as other_state,
        arg_min(server_handshake_us, place) filter (where server_handshake_us is not null) as server_handshake_us,
        arg_min(client_handshake_us, place) filter (where client_handshake_us is not null) as client_handshake_us,
        arg_min(application, place) filter (where application is not null) as application,
        arg_min(tls_sni, place) filter (where tls_sni is not null) as tls_sni,
        arg_min(tls_version, place) filter (where tls_version is not null) as tls_version,
        arg_min(alpn, place) filter (where alpn is not null) as alpn,
        arg_min(tls_ech, place) filter (where tls_ech is not null) as tls_ech,
        arg_min(verdict, place) filter (where verdict = 'dropped') as dropped,
        arg_min(verdict, place) filter (where verdict is not null) as verdict,
        arg_min(drop_reason, place) filter (where drop_reason is not null) as drop_reason,
        arg_min(policies, place) filter (where policies is not null) as policies,
        arg_min(src, src_place) as src,
        arg_min(dst, dst_place) as dst,
        arg_min(src_labels, src_place) filter (where src_labels is not null) as src_labels,
        arg_min(dst_labels, dst_place) filter (where dst_labels is not null) as dst_labels,
        arg_min({'namespace': service_namespace, 'name': service, 'port_name': service_port_name}, place)
            filter (where service is not null) as service,
        arg_min(
            {'ip': backend_ip, 'port': backend_port},
            place + case when backend_ip is null then 1000000000000 else 0 end
        ) filter (where backend_ip is not null or backend_port is not null) as backend,
        arg_min({'ip': src_nat_ip, 'port': src_nat_port}, place) filter (where src_nat_ip is not null) as nat,
        arg_min({
            'name': dst_domain, 'registered': dst_registered_domain, 'method': domain_method,
            'confidence': domain_confidence, 'alternatives': domain_alternatives
        }, place) filter (where dst_domain is not null) as domain,
        bool_or(ambiguous) as ambiguous,
        count(distinct sighting) as sightings,
        count(*) as records
    from placed
    group by all
),

-- UDP keeps no state from one record to the next: the whole connection's packets tell it.
told as (
    select
        *,
        case
            when protocol <> 17 then coalesce(last_state, other_state)
            when src_packets > 0 and dst_packets > 0 then 'SF'
            when src_packets > 0 then 'S0'
            else 'SHR'
        end as connection_state
    from merged
)

select
    connection_id, start_time, end_time, cluster, node, interface, reporter,
    src_ip, src_port, dst_ip, dst_port, protocol, icmp_type, icmp_code, community_id,
    opened_by, started, ended, end_reason,
    src_packets, src_bytes, src_tcp_flags, src_retransmits, src_zero_windows,
    dst_packets, dst_bytes, dst_tcp_flags, dst_retransmits, dst_zero_windows,
    connection_state,
    case
        when protocol = 17 then connection_state = 'S0' and (dst_port in (53, 123, 443) or coalesce(application in ('dns', 'quic'), false))
        else coalesce(connection_state in ('S0', 'SH', 'RSTOS0', 'REJ', 'RSTRH'), false)
    end as failed,
    server_handshake_us, client_handshake_us, application, tls_sni, tls_version, alpn, tls_ech,
    coalesce(dropped, verdict) as verdict, drop_reason, policies,
    src.kind as src_kind, src.namespace as src_namespace, src.pod as src_pod,
    src.workload_kind as src_workload_kind, src.workload as src_workload, src.node as src_node, src.zone as src_zone,
    src_labels,
    dst.kind as dst_kind, dst.namespace as dst_namespace, dst.pod as dst_pod,
    dst.workload_kind as dst_workload_kind, dst.workload as dst_workload, dst.node as dst_node, dst.zone as dst_zone,
    dst_labels,
    service.namespace as service_namespace, service.name as service, service.port_name as service_port_name,
    backend.ip as backend_ip, backend.port as backend_port,
    nat.ip as src_nat_ip, nat.port as src_nat_port,
    domain.name as dst_domain, domain.registered as dst_registered_domain, domain.method as domain_method,
    domain.confidence as domain_confidence, domain.alternatives as domain_alternatives,
    ambiguous, sightings, records
from told
where connection_id not in (select repeated.connection_id from repeated)
