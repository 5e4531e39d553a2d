-- Which Service port an address and port stand for.
-- In: port (port_id, ...), front (port_id, ip).
-- Out: service_address (ip, port, protocol, port_id).
create or replace temp table service_address as
select front.ip, port.port, port.protocol, min(port.port_id) as port_id
from front
inner join port on port.port_id = front.port_id
group by front.ip, port.port, port.protocol
