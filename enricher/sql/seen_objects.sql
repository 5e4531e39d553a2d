-- Which holders of addresses each reading has.
-- In: objects. Out: seen_us, kind (as in assignments), namespace, uid.
select epoch_us(seen_time) as seen_us, lower(kind) as kind, namespace, document ->> '$.metadata.uid' as uid
from objects
where kind in ('Pod', 'Node', 'Service')
