-- question: How many calls of resolvers were there, how many failed, and how much of their queries was waste?
-- grain: one row
-- read by: the page DNS
-- parameter namespace text null: of the client
-- parameter workload text null: of the client, or its address where it has none
select
    count(*) as calls,
    cast(coalesce(sum(case when outcome in ('answered', 'no_data') then 0 else 1 end), 0) as bigint) as failed,
    cast(coalesce(sum(queries), 0) as bigint) as queries,
    cast(coalesce(sum(wasted_queries), 0) as bigint) as wasted_queries
from resolutions
where not forwarded
    and ($namespace is null or client_namespace = $namespace)
    and ($workload is null or coalesce(client_workload, client_ip) = $workload)
