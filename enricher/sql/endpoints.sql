-- Each endpoint of a Service port, with the pod behind it.
-- In: endpoint (port_id, ip, port, ready, pod_uid), port, assignment.
-- Out: backend (port_id, ip, port, protocol, ready, owner): owner NULL where nobody is known to hold the address.
-- The endpoint names its pod; where it does not (a hand-made endpoint), the latest holder of the address is taken.
create or replace temp table backend as
with latest as (
    select ip, arg_max(owner, (from_us, uid)) as owner
    from assignment
    where not host_network and kind <> 'service'
    group by ip
),
named as (
    select uid, ip, min(owner) as owner from assignment where kind = 'pod' group by uid, ip
)
select distinct
    endpoint.port_id,
    endpoint.ip,
    endpoint.port,
    port.protocol,
    endpoint.ready,
    case when endpoint.pod_uid is null then latest.owner else named.owner end as owner
from endpoint
inner join port on port.port_id = endpoint.port_id
left join named on named.uid = endpoint.pod_uid and named.ip = endpoint.ip
left join latest on latest.ip = endpoint.ip
