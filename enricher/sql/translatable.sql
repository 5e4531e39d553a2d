-- Sightings that a node may have translated the source of (masquerade), and those that may be what became of them.
-- In: sighting, place, behind, tracked, backend, assignment, address, end_node. Parameter: $near_us, sightings of one opening by one node lie
-- closer than this.
-- Out: translatable (row, is_after, goal, node, cluster, question, protocol, src_port, started, start_us, the counts, other_row NULL):
-- one row for each opening of a tuple that a node saw, by its earliest sighting, and each goal that it may have.
-- After the translation the source is an address of the node itself. The goal is what both sides have in common: the destination
-- outside of the cluster or on another node; the Service port whose endpoint was reached (of node ports and external addresses); or, of
-- pods that reach themselves by their Service, that port and the pod. From pod to pod nothing else is translated.
-- What connection tracking told is left out, and what was seen as it was on the interface that translated packets leave by was not translated.
create or replace temp table translatable as
with seen as (
    select
        sighting.*,
        place.front_id,
        src.kind as src_kind,
        src_node.node as src_node,
        dst_node.node as dst_node,
        coalesce(dst_address.is_external, false) or (dst.kind = 'node' and dst_node.node <> sighting.node) as leaves
    from sighting
    inner join place on place.row = sighting.row
    left join assignment as src on src.owner = place.src_owner
    left join assignment as dst on dst.owner = place.dst_owner
    left join end_node as src_node on src_node.end_id = place.src_owner
    left join end_node as dst_node on dst_node.end_id = place.dst_owner
    left join address as dst_address on dst_address.ip = sighting.dst_ip
    where sighting.is_known and sighting.node is not null
),
sent as (
    select * from seen where src_kind = 'node' and src_node = node
),
asked as (
    select * from seen
    where not coalesce(src_kind = 'node' and src_node = node, false)
        and (leaves or front_id is not null)
        and row not in (select behind.row from behind)
        and row not in (select tracked.row from tracked)
),
aimed as (
    select *, true as is_after, concat_ws('|', 'out', dst_ip, dst_port::varchar) as goal from sent where leaves
    union all
    select sent.*, true, unnest([
        concat_ws('|', 'service', backend.port_id::varchar), concat_ws('|', 'itself', backend.port_id::varchar, sent.dst_ip)
    ])
    from sent
    inner join (select distinct port_id, ip, port, protocol from backend) as backend
        on backend.ip = sent.dst_ip and backend.port = sent.dst_port and backend.protocol = sent.protocol
    union all
    select *, false, concat_ws('|', 'out', dst_ip, dst_port::varchar)
    from asked
    where leaves and src_kind = 'pod' and src_node = node
    union all
    select *, false, case
        when src_kind = 'pod' and src_node = node then concat_ws('|', 'itself', front_id::varchar, src_ip)
        else concat_ws('|', 'service', front_id::varchar)
    end
    from asked
    where front_id is not null
),
uplink as (
    select distinct node, interface from sent where leaves and interface <> 'any'
),
shared as (
    select
        aimed.*,
        uplink.node is not null and goal like 'out|%' and not is_after as is_on_uplink,
        row in (select other_row from tracked where other_row is not null) as is_told
    from aimed
    left join uplink on uplink.node = aimed.node and uplink.interface = aimed.interface
    where goal in (select goal from aimed where is_after) and goal in (select goal from aimed where not is_after)
),
parted as (
    select
        *,
        coalesce(start_us - lag(start_us) over same > $near_us, true)::integer as begins
    from shared
    window same as (
        partition by is_after, goal, node, cluster, question, protocol, src_ip, src_port, dst_ip, dst_port
        order by start_us, row
    )
),
numbered as (
    select
        *,
        sum(begins) over (
            partition by is_after, goal, node, cluster, question, protocol, src_ip, src_port, dst_ip, dst_port
            order by start_us, row rows unbounded preceding
        ) as opening
    from parted
)
select
    arg_min(row, (start_us, row)) as row,
    is_after, goal, node, cluster, question, protocol, src_port,
    bool_or(started) as started,
    min(start_us) as start_us,
    max(src_packets) as src_packets,
    max(src_bytes) as src_bytes,
    max(dst_packets) as dst_packets,
    max(dst_bytes) as dst_bytes,
    null::bigint as other_row
from numbered
group by is_after, goal, node, cluster, question, protocol, src_ip, src_port, dst_ip, dst_port, opening
having not bool_or(is_on_uplink) and not bool_or(is_told)
