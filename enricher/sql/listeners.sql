-- What listens on an address and port that is an endpoint: of which one Service, and which one pod.
-- In: backend, port, assignment. Out: listener (ip, port, protocol, port_id, owner, from_us, host_network).
-- port_id is NULL where several Services have the endpoint; it is the Service as such where several of its ports do.
create or replace temp table listener as
with whole as (
    select namespace, service, min(port_id) as port_id from port where port is null group by namespace, service
),
grouped as (
    select
        backend.ip,
        backend.port,
        backend.protocol,
        count(distinct whole.port_id) filter (backend.ready) as services,
        count(distinct port.port_id) filter (backend.ready) as ports,
        min(whole.port_id) filter (backend.ready) as service_id,
        min(port.port_id) filter (backend.ready) as port_id,
        case when count(distinct backend.owner) = 1 then min(backend.owner) end as owner
    from backend
    inner join port on port.port_id = backend.port_id
    inner join whole on whole.service = port.service and whole.namespace is not distinct from port.namespace
    group by backend.ip, backend.port, backend.protocol
)
select
    grouped.ip,
    grouped.port,
    grouped.protocol,
    case when services = 1 and ports = 1 then grouped.port_id when services = 1 then grouped.service_id end as port_id,
    grouped.owner,
    assignment.from_us,
    coalesce(assignment.host_network, false) as host_network
from grouped
left join assignment on assignment.owner = grouped.owner
