-- question: Where was one of the two queries, A and AAAA, lost that a resolver sends at once from one socket?
-- grain: one row a client workload (or address), the most lost first
-- read by: the DNS doctor, tailrace ask
-- parameter namespace text null: namespace of the client
-- parameter workload text null: workload of the client
-- parameter least integer 2: fewest pairs that lost one; a single lost packet is what UDP does
with asked as (
    select
        client_namespace,
        client_workload_kind,
        coalesce(client_workload, client_ip) as client_name,
        client_node,
        service_namespace || '/' || service as service,
        asked,
        start_time,
        qtypes like 'A,AAAA%' as is_pair,
        lost_of_pair,
        transactions,
        retries > 0 or unanswered > 0 as is_troubled,
        case
            when lost_of_pair = 0 then null
            when outcome = 'answered' then duration_us
            else cast(round((epoch(end_time) - epoch(start_time)) * 1000000) as bigint)
        end as stall_us
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
    cast(sum(lost_of_pair) as bigint) as lost_of_pair,
    count(*) filter (where is_pair) as pairs,
    count(*) filter (where is_pair and is_troubled and lost_of_pair = 0) as pairs_lost_whole,
    count(*) filter (where not is_pair) as singles,
    count(*) filter (where not is_pair and is_troubled and lost_of_pair = 0) as singles_lost,
    count(stall_us) as stalled,
    cast(coalesce(sum(stall_us), 0) as bigint) as waited_us,
    percentile_cont(0.50) within group (order by stall_us) as p50_stall_us,
    max(stall_us) as longest_us,
    count(distinct case when lost_of_pair > 0 then client_node end) as nodes,
    min(case when lost_of_pair > 0 then client_node end) as node,
    min(case when lost_of_pair > 0 then service end) as service,
    count(distinct case when lost_of_pair > 0 then asked end) as names,
    min(case when lost_of_pair > 0 then asked end) as example,
    min(case when lost_of_pair > 0 then start_time end) as first_seen,
    max(case when lost_of_pair > 0 then start_time end) as last_seen
from asked
group by client_namespace, client_workload_kind, client_name
having sum(lost_of_pair) >= $least
order by lost_of_pair desc, waited_us desc, client_namespace, client_workload_kind, client_name
