-- question: In which clusters does a client ask for names?
-- grain: one row a cluster; NULL for what was ingested without the name of one
-- read by: tailrace dns explain
-- parameter namespace text null: namespace of the client
-- parameter client text null: its workload or pod
-- parameter address text null: its address, instead of namespace and client
select cluster
from resolutions
where
    case
        when $address is not null then client_ip = $address
        else client_namespace is not distinct from $namespace and $client in (client_workload, client_pod)
    end
group by cluster
order by cluster nulls last
