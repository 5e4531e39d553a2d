-- Connections that src's node tells, too, in records with another id: enrichers that know nothing of one another gave them.
-- Where src's node is in the batch of the others, its record tells the connection, and theirs do not. What was sent on with another
-- source, others know by that one; what came from outside is told by the node that translated it.
with far as materialized (
    select
        connection_id, cluster, src_ip, src_port, protocol, start_time, end_time,
        coalesce(backend_ip, dst_ip) as ip,
        coalesce(backend_port, dst_port) as port
    from flow_records
    where reporter in ('dst', 'fwd') and src_node <> node and (counted is null or counted in ('alone', 'first'))
),

near as (
    select
        * exclude (src_ip, src_port),
        coalesce(src_nat_ip, src_ip) as src_ip,
        case when src_nat_ip is null then src_port else src_nat_port end as src_port
    from flow_records
    where (reporter = 'src' or src_nat_ip is not null) and coalesce(src_nat_ip, src_ip) in (select far.src_ip from far)
)

select distinct far.connection_id
from far
inner join near
    on near.src_ip = far.src_ip
    and near.src_port is not distinct from far.src_port
    and near.protocol = far.protocol
    and coalesce(near.backend_ip, near.dst_ip) = far.ip
    and coalesce(near.backend_port, near.dst_port) is not distinct from far.port
    and near.cluster is not distinct from far.cluster
    and near.connection_id <> far.connection_id
    and near.start_time <= far.end_time
    and near.end_time >= far.start_time
