-- Which Service port a port of any node stands for.
-- In: port (port_id, node_port, protocol). Out: node_port (port, protocol, port_id).
create or replace temp table node_port as
select node_port as port, protocol, min(port_id) as port_id
from port
where node_port > 0
group by node_port, protocol
