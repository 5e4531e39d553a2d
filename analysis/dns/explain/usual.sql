-- question: How often does a client ask for a name, how does that end, and how long does it take?
-- grain: one row
-- read by: tailrace dns explain
-- parameter asked text required: name that was given to the resolver
-- parameter namespace text null: namespace of the client
-- parameter client text null: its workload or pod
-- parameter address text null: its address, instead of namespace and client
-- parameter duration_us integer null: how long the one took that is compared
select
    count(*) as resolutions,
    count(*) filter (where outcome = 'answered') as answered,
    count(*) filter (where outcome = 'no_data') as no_data,
    count(*) filter (where outcome = 'nxdomain') as nxdomain,
    count(*) filter (where outcome = 'failed') as failed,
    count(*) filter (where outcome = 'unanswered') as unanswered,
    count(distinct client_ip) as clients,
    min(start_time) as first_seen,
    max(start_time) as last_seen,
    cast(coalesce(sum(queries), 0) as bigint) as queries,
    cast(coalesce(sum(wasted_queries), 0) as bigint) as wasted_queries,
    count(duration_us) as timed,
    count(*) filter (where duration_us < $duration_us) as sooner,
    percentile_cont(0.50) within group (order by duration_us) as p50_us,
    percentile_cont(0.95) within group (order by duration_us) as p95_us,
    max(duration_us) as longest_us
from resolutions
where
    asked = $asked
    and case
        when $address is not null then client_ip = $address
        else client_namespace is not distinct from $namespace and $client in (client_workload, client_pod)
    end
order by resolutions
