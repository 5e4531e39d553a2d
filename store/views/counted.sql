-- Each connection once, as far as it concerns who talked to whom: what connections says of it, sooner.
-- Most connections are settled by one record: the only one that is nearest to src, which knows all that their records know.
-- Others are the sum of the intervals of the one sighting that is nearest. What is left goes through the whole of connections.
-- distance: the order of sightings in connections as far as it is a small number: reporter, tunnelled or not, first letter of
-- the interface (what begins alike is equally near). facing: who is src, and on which port.
-- known: what a record knows as bits, fewer of them where it knows less, and which directions it saw as one of three: if all
-- bits of a connection are those of a record, no other record saw another direction or can lend it a name.
-- record: its number, of 52 bits.
with described as not materialized (
    select
        *,
        case reporter when 'src' then 0 when 'dst' then 256 when 'fwd' then 512 else 768 end
        + case when tunnel is null then 0 else 128 end
        + case when interface is null then 127 else least(greatest(unicode(interface), 0), 126) end as distance,
        case when src_packets > 0 and dst_packets > 0 then 1 when src_packets > 0 then 2 else 4 end
        + case when src_pod is not null then 56 when src_workload is not null then 24 when src_kind is not null then 8 else 0 end
        + case when dst_pod is not null then 448 when dst_workload is not null then 192 when dst_kind is not null then 64 else 0 end
        + case when backend_ip is not null then 1536 when backend_port is not null then 512 else 0 end
        + case when cluster is null then 0 else 2048 end
        + case when dst_domain is null then 0 else 4096 end
        + case when application is null then 0 else 8192 end
        + case when ambiguous then 16384 else 0 end
        + case opened_by when 'first_packet' then 0 else 32768 end as known,
        hash(src_ip, src_port) as facing,
        hash(connection_id) as id
    from flow_records
),

gathered as materialized (
    select
        id,
        min((cast(distance as bigint) << 52) | record) as nearest,
        max((cast(1023 - distance as bigint) << 52) | record) as last_nearest,
        min((distance << 16) | known) & 65535 as known,
        bit_or(known) as all_known,
        min(facing) = max(facing) as one_facing
    from described
    group by id
),

judged as (
    select
        id,
        nearest & 4503599627370495 as record,
        nearest >> 52 as least_distance,
        all_known,
        one_facing,
        one_facing and known = all_known and xor(nearest, last_nearest) & 4503599627370495 = 0 as settled
    from gathered
),

sightings as (
    select
        described.id,
        arg_min(described.record, {'from': start_time, 'until': end_time}) as record,
        max(end_time) as end_time,
        sum(src_bytes + dst_bytes) as bytes,
        arg_max(connection_state, {'from': start_time, 'until': end_time}) filter (connection_state <> 'OTH') as state,
        bool_and(described.known = all_known and described.known & 1 = 1) as whole
    from described
    inner join judged on judged.id = described.id
    where not settled and one_facing and distance <= least_distance
    group by described.id, node, interface, tunnel, tunnel_id, vlan, dst_ip, dst_port
),

summed as materialized (
    select
        id,
        any_value(record) as record,
        any_value(end_time) as end_time,
        any_value(bytes) as bytes,
        any_value(state) as state
    from sightings
    group by id
    having count(*) = 1 and bool_and(whole)
),

told as (
    select record, null as end_time, null as bytes, null as state from judged where settled
    union all
    select record, end_time, bytes, state from summed
),

contested as (
    with flows as (
        select * exclude (record)
        from flow_records
        where hash(connection_id) in (select id from judged where not settled and id not in (select id from summed))
    )
    select * from (
-- include connections
    )
)

select
    start_time,
    coalesce(told.end_time, described.end_time) as end_time,
    cluster,
    src_ip, dst_ip, dst_port, protocol,
    case
        when protocol = 17 then src_packets > 0 and dst_packets = 0
            and (dst_port in (53, 123, 443) or coalesce(application in ('dns', 'quic'), false))
        else coalesce(list_contains(['S0', 'SH', 'RSTOS0', 'REJ', 'RSTRH'], coalesce(state, connection_state)), false)
    end as failed,
    src_kind, src_namespace, src_pod, src_workload_kind, src_workload,
    dst_kind, dst_namespace, dst_pod, dst_workload_kind, dst_workload,
    backend_ip, backend_port, dst_domain,
    ambiguous,
    protocol = 6 and opened_by = 'first_packet' as guessed, dst_packets > 0 as answered,
    coalesce(told.bytes, src_bytes + dst_bytes) as bytes
from described
inner join told on told.record = described.record
union all
select
    start_time, end_time, cluster, src_ip, dst_ip, dst_port, protocol, failed,
    src_kind, src_namespace, src_pod, src_workload_kind, src_workload,
    dst_kind, dst_namespace, dst_pod, dst_workload_kind, dst_workload,
    backend_ip, backend_port, dst_domain,
    ambiguous,
    protocol = 6 and opened_by = 'first_packet', dst_packets > 0,
    src_bytes + dst_bytes
from contested
