-- question: Which clients ask for a name?
-- grain: one row a workload (or address, where no workload is known) and cluster, who asks most first
-- read by: tailrace dns explain
-- parameter name text null: name that was given to the resolver; any, where it is not given
-- parameter spelling text null: another spelling of it
select
    cluster,
    client_namespace,
    coalesce(client_workload, client_ip) as client_name,
    count(*) as resolutions,
    count(*) filter (where outcome = 'answered') as answered,
    max(start_time) as last_seen
from resolutions
where not forwarded and ($name is null or asked in ($name, $spelling))
group by cluster, client_namespace, coalesce(client_workload, client_ip)
order by resolutions desc, client_namespace, client_name, cluster
