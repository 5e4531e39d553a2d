-- The objects of one reading that Services, their endpoints and the ranges of the cluster are told by.
-- In: objects. Parameter: $seen_time, of the reading. Out: kind, name, document.
select kind, name, document
from objects
where seen_time = $seen_time and kind in ('Service', 'EndpointSlice', 'Pod', 'Node', 'ServiceCIDR', 'IPPool')
order by kind, namespace, name
