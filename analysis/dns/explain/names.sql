-- question: Which names does a client give to its resolver?
-- grain: one row a name and cluster, what is asked most first
-- read by: tailrace dns explain
-- parameter namespace text null: namespace of the client
-- parameter client text null: its workload or pod; every client, where address is not given either
-- parameter address text null: its address, instead of namespace and client
select
    cluster,
    asked,
    count(*) as resolutions,
    count(*) filter (where outcome = 'answered') as answered,
    max(start_time) as last_seen
from resolutions
where
    case
        when $address is not null then client_ip = $address
        when $client is not null then client_namespace is not distinct from $namespace and $client in (client_workload, client_pod)
        else not forwarded
    end
group by cluster, asked
order by resolutions desc, asked, cluster
