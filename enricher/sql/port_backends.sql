-- What all endpoints of a Service port agree on.
-- In: port, backend, assignment.
-- Out: port_backend (port_id, owner, port): an owner of the one workload, the one port; NULL where they differ.
select
    port.port_id,
    case
        when count(distinct (assignment.namespace, assignment.workload_kind, assignment.workload)) = 1
            and count(*) = count(assignment.owner)
            then min(assignment.owner)
    end as owner,
    case when count(distinct backend.port) = 1 then min(backend.port) end as port
from port
left join backend on backend.port_id = port.port_id
left join assignment on assignment.owner = backend.owner
group by port.port_id
order by port.port_id
