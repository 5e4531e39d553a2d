-- Each connection once, as far as it concerns who talked to whom: what connections says of it, sooner.
-- The enricher has told for most connections by which record they are counted, and how many records they have. Where all of
-- these are there, and no more, that holds; the others (of several ingests, cut by the window, undecided) go through connections.
with changed as materialized (
    select hash(connection_id) as id
    from flows
    group by id
    having count(*) <> max(connection_records)
),

sums as (
    select
        connection_id,
        max(end_time) as end_time,
        sum(src_bytes) as src_bytes,
        sum(dst_bytes) as dst_bytes,
        arg_max(connection_state, {'from': start_time, 'until': end_time}) filter (connection_state <> 'OTH') as state
    from flows
    where counted in ('first', 'later')
    group by connection_id
),

told as (
    select
        flows.* exclude (end_time, src_bytes, dst_bytes),
        coalesce(sums.end_time, flows.end_time) as end_time,
        cast(coalesce(sums.src_bytes, flows.src_bytes) as bigint) as src_bytes,
        cast(coalesce(sums.dst_bytes, flows.dst_bytes) as bigint) as dst_bytes,
        coalesce(sums.state, connection_state) as state
    from flows
    left join sums on sums.connection_id = case when counted = 'first' then flows.connection_id end
    where counted in ('alone', 'first') and hash(flows.connection_id) not in (select id from changed)
        and flows.connection_id not in (select repeated.connection_id from repeated)
),

contested as (
    with flows as (
        select * from flow_records where counted is null
        union all
        select * from flow_records where counted is not null and hash(connection_id) in (select id from changed)
    )
    select * from (
-- include connections
    )
)

select
    start_time, end_time, cluster, src_ip, dst_ip, dst_port, protocol,
    case
        when protocol = 17 then src_packets > 0 and dst_packets = 0
            and (dst_port in (53, 123, 443) or coalesce(application in ('dns', 'quic'), false))
        else coalesce(state in ('S0', 'SH', 'RSTOS0', 'REJ', 'RSTRH'), false)
    end as failed,
    src_kind, src_namespace, src_pod, src_workload_kind, src_workload,
    dst_kind, dst_namespace, dst_pod, dst_workload_kind, dst_workload,
    backend_ip, backend_port, dst_domain, dst_registered_domain, domain_method, domain_confidence,
    ambiguous,
    protocol = 6 and opened_by = 'first_packet' as guessed, dst_packets > 0 as answered,
    src_bytes, dst_bytes, src_bytes + dst_bytes as bytes
from told
union all
select
    start_time, end_time, cluster, src_ip, dst_ip, dst_port, protocol, failed,
    src_kind, src_namespace, src_pod, src_workload_kind, src_workload,
    dst_kind, dst_namespace, dst_pod, dst_workload_kind, dst_workload,
    backend_ip, backend_port, dst_domain, dst_registered_domain, domain_method, domain_confidence,
    ambiguous,
    protocol = 6 and opened_by = 'first_packet', dst_packets > 0,
    src_bytes, dst_bytes, src_bytes + dst_bytes
from contested
