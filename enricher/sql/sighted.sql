-- What is known of every sighting, in the order of the rows.
-- In: sighting, place, behind, tracked, passed, connection, port_backend, address, end_node.
-- Parameters: $owners, how many assignments there are (the ends of Services follow them); $external, the end outside.
-- Out: row, src_end, dst_end, service_id, backend_ip, backend_port, reporter, src_nat_ip, src_nat_port, connection_id, connection_us,
-- ambiguous.
-- A sighting behind the Service address, on the node that also saw the connection before the translation, is the dst side's. Where the source
-- was translated, src is who had it before.
with asked as (
    select connection.connection_id, sighting.node, min(place.front_id) as front_id
    from place
    inner join sighting on sighting.row = place.row
    inner join connection on connection.row = place.row
    where place.front_id is not null
    group by connection.connection_id, sighting.node
),
named as (
    select connection_id, min(front_id) as front_id from asked group by connection_id
),
ended as (
    select
        sighting.row,
        sighting.node,
        sighting.is_tunnelled,
        connection.connection_id,
        connection.connection_us,
        place.front_id,
        coalesce(place.front_id, named.front_id, place.service_id) as service_id,
        coalesce(passed.is_after, false) as is_after,
        coalesce(sighting.src_nat_ip, passed.nat_ip) as src_nat_ip,
        case when sighting.src_nat_ip is null then passed.nat_port else sighting.src_nat_port end as src_nat_port,
        case
            when passed.is_after then coalesce(passed.src_owner, case when first.is_external then $external end)
            else coalesce(place.src_owner, case when src.is_external and sighting.is_known then $external end)
        end as src_end,
        case
            when behind.backend_row is not null then reached_place.dst_owner
            when tracked.dst_owner is not null then tracked.dst_owner
            when place.front_id is not null then $owners + place.front_id
            else coalesce(place.dst_owner, case when dst.is_external and sighting.is_known then $external end)
        end as dst_end,
        coalesce(reached.dst_ip, sighting.dst_nat_ip) as backend_ip,
        case
            when reached.row is not null then reached.dst_port
            when sighting.dst_nat_ip is not null then sighting.dst_nat_port
            when place.front_id is not null then port_backend.port
        end as backend_port,
        case when passed.is_after then passed.src_ambiguous else place.src_ambiguous end or case
            when behind.backend_row is not null then reached_place.dst_ambiguous
            when tracked.dst_owner is not null then tracked.dst_ambiguous
            else place.dst_ambiguous and place.front_id is null
        end as ambiguous
    from sighting
    inner join place on place.row = sighting.row
    inner join connection on connection.row = sighting.row
    left join passed on passed.row = sighting.row
    left join tracked on tracked.row = sighting.row
    left join address as first on first.ip = passed.src_ip
    left join address as src on src.ip = sighting.src_ip
    left join address as dst on dst.ip = sighting.dst_ip
    left join behind on behind.row = sighting.row
    left join sighting as reached on reached.row = behind.backend_row
    left join place as reached_place on reached_place.row = behind.backend_row
    left join port_backend on port_backend.port_id = place.front_id
    left join named on named.connection_id = connection.connection_id
)
select
    ended.row,
    ended.src_end,
    ended.dst_end,
    ended.service_id,
    ended.backend_ip,
    ended.backend_port,
    case
        when ended.node is null or (src.node is null and dst.node is null) then null
        when ended.is_tunnelled then 'fwd'
        when ended.node = src.node and ended.node = dst.node and ended.front_id is null and asked.front_id is not null
            then 'dst'
        when ended.node = src.node and not ended.is_after then 'src'
        when ended.node = dst.node then 'dst'
        else 'fwd'
    end as reporter,
    ended.src_nat_ip,
    ended.src_nat_port,
    ended.connection_id,
    ended.connection_us,
    ended.ambiguous
from ended
left join end_node as src on src.end_id = ended.src_end
left join end_node as dst on dst.end_id = ended.dst_end
left join asked on asked.connection_id = ended.connection_id and asked.node = ended.node
order by ended.row
