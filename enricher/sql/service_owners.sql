-- The Service as such (without a port) that an assignment belongs to.
-- In: assignment, port. Out: service_owner (owner, port_id).
create or replace temp table service_owner as
select assignment.owner, min(port.port_id) as port_id
from assignment
inner join port on port.service = assignment.name and port.namespace is not distinct from assignment.namespace
where assignment.kind = 'service' and port.port is null
group by assignment.owner
