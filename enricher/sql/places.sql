-- Both ends of every sighting at its start, and the Service its destination stands for.
-- In: sighting, timeline, assignment, service_address, node_port, service_owner, listener.
-- Out: place (row, src_owner, dst_owner, ambiguous flags, front_id, service_id).
-- front_id: the port of the Service whose address (or node port) was asked for. service_id: the Service besides, which is
-- the one whose endpoint the destination is, or the one whose address was asked for on a port it does not have.
create or replace temp table place as
with owned as (
    select
        sighting.row,
        sighting.start_us,
        sighting.dst_ip,
        sighting.dst_port,
        sighting.protocol,
        sighting.is_known,
        src.owner as src_owner,
        dst.owner as dst_owner,
        coalesce(src.ambiguous, false) as src_ambiguous,
        coalesce(dst.ambiguous, false) as dst_ambiguous
    from sighting
    left join timeline as src
        on src.ip = sighting.src_ip
        and sighting.is_known and src.from_us <= sighting.start_us and sighting.start_us < src.until_us
    left join timeline as dst
        on dst.ip = sighting.dst_ip
        and sighting.is_known and dst.from_us <= sighting.start_us and sighting.start_us < dst.until_us
),
fronted as (
    select
        owned.*,
        assignment.kind as dst_kind,
        coalesce(service_address.port_id, node_port.port_id) as front_id
    from owned
    left join assignment on assignment.owner = owned.dst_owner
    left join service_address
        on service_address.ip = owned.dst_ip
        and service_address.port = owned.dst_port and service_address.protocol = owned.protocol and owned.is_known
    left join node_port
        on assignment.kind = 'node' and node_port.port = owned.dst_port and node_port.protocol = owned.protocol
),
listening as (
    select
        fronted.*,
        listener.port_id as listener_id,
        listener.owner as listener_owner,
        listener.port_id is not null
            and (listener.owner is null or listener.owner = fronted.dst_owner) as is_holder,
        listener.host_network and fronted.dst_kind = 'node' and listener.from_us <= fronted.start_us as is_on_host
    from fronted
    left join listener
        on fronted.front_id is null and fronted.is_known
        and listener.ip = fronted.dst_ip and listener.port = fronted.dst_port and listener.protocol = fronted.protocol
)
select
    listening.row,
    listening.src_owner,
    case when listening.is_on_host then listening.listener_owner else listening.dst_owner end as dst_owner,
    listening.src_ambiguous,
    listening.dst_ambiguous,
    listening.front_id,
    case
        when listening.is_holder or listening.is_on_host then listening.listener_id
        when listening.front_id is null and not listening.dst_ambiguous then service_owner.port_id
    end as service_id
from listening
left join service_owner on service_owner.owner = listening.dst_owner
