-- question: Where was one of the two queries, A and AAAA, lost that a resolver sends at once from one socket?
-- grain: one row a client workload (or address), the most lost first
-- read by: the DNS doctor, tailrace ask
-- parameter namespace text null: namespace of the client
-- parameter workload text null: workload of the client
-- parameter least integer 2: fewest calls that lost one; a single lost packet is what UDP does
-- parameter stall_us integer 300000: from here a resolver has waited for its timeout (none is shorter)
-- What failed late with an error waited for an upstream: no packet of the client was lost.
with judged as (
    select
        client_namespace,
        client_workload_kind,
        coalesce(client_workload, client_ip) as client_name,
        client_node,
        asked,
        start_time,
        qtypes like 'A,AAAA%' as is_pair,
        lost_of_pair > 0 as is_raced,
        lost_of_pair = 0
        and outcome <> 'failed'
        and (unanswered > 0 or (retries > 0 and duration_us >= $stall_us)) as is_lost_otherwise,
        case when lost_of_pair > 0 and duration_us >= $stall_us then duration_us end as stall_us
    from resolutions
    where
        not forwarded
        and ($namespace is null or client_namespace = $namespace)
        and ($workload is null or client_workload = $workload)
)

select
    client_namespace,
    client_workload_kind,
    client_name,
    count(*) filter (where is_pair) as pairs,
    count(*) filter (where not is_pair) as singles,
    count(*) filter (where is_raced) as raced,
    count(*) filter (where is_lost_otherwise) as lost_otherwise,
    cast(coalesce(sum(stall_us), 0) as bigint) as waited_us,
    percentile_cont(0.50) within group (order by stall_us) as p50_stall_us,
    max(stall_us) as longest_us,
    count(distinct case when is_raced then client_node end) as nodes,
    min(case when is_raced then client_node end) as node,
    count(distinct case when is_raced then asked end) as names,
    min(case when is_raced then asked end) as example,
    min(start_time) filter (where is_raced) as first_seen,
    max(start_time) filter (where is_raced) as last_seen
from judged
group by client_namespace, client_workload_kind, client_name
having count(*) filter (where is_raced) >= $least
order by raced desc, waited_us desc, client_namespace, client_workload_kind, client_name
