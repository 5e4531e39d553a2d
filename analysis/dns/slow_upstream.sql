-- question: Which zones do clients wait for because the servers wait for an upstream, and how much comes from the cache?
-- grain: one row a zone (NULL: names that nobody registered) and server, the most time waited for upstreams first
-- read by: the DNS doctor, tailrace ask
-- parameter namespace text null: namespace of the client
-- parameter workload text null: workload of the client
-- parameter least integer 5: fewest answers that an upstream was waited for
-- parameter least_us integer 100000: the least median wait; recursion on a continent takes less
with asked as (
    select
        forwarded,
        registered_domain as zone,
        coalesce(client_namespace || '/', '') || coalesce(client_workload, client_ip) as client,
        case
            when forwarded then coalesce(client_namespace || '/' || coalesce(client_workload, client_pod), client_ip)
            else coalesce(server_namespace || '/' || coalesce(server_workload, server_pod), server_ip)
        end as server,
        server_ip,
        qname,
        answered_from,
        latency_us,
        upstream_us,
        latency_us - coalesce(upstream_us, 0) as own_us,
        start_time
    from dns
    where
        outcome = 'answered'
        and latency_us is not null
        and rcode in ('NOERROR', 'NXDOMAIN')
        and (
            forwarded
            or (
                answered_from is not null
                and ($namespace is null or client_namespace = $namespace)
                and ($workload is null or client_workload = $workload)
            )
        )
),

waiting as (
    select
        zone,
        server,
        count(*) as transactions,
        count(*) filter (where answered_from = 'upstream') as from_upstream,
        count(*) filter (where answered_from = 'cache') as from_cache,
        count(*) filter (where answered_from = 'zone') as from_zone,
        cast(sum(upstream_us) as bigint) as waited_us,
        cast(sum(latency_us) filter (where answered_from = 'upstream') as bigint) as latency_us,
        percentile_cont(0.50) within group (order by upstream_us) as p50_upstream_us,
        percentile_cont(0.50) within group (order by case when answered_from = 'upstream' then own_us end) as p50_own_us,
        percentile_cont(0.50) within group (order by case when answered_from = 'cache' then latency_us end) as p50_cache_us,
        max(upstream_us) as longest_us,
        count(distinct case when answered_from = 'upstream' then client end) as clients,
        min(case when answered_from = 'upstream' then client end) as client,
        count(distinct case when answered_from = 'upstream' then qname end) as names,
        min(case when answered_from = 'upstream' then qname end) as example,
        min(start_time) filter (where answered_from = 'upstream') as first_seen,
        max(start_time) filter (where answered_from = 'upstream') as last_seen
    from asked
    where not forwarded
    group by zone, server
    having count(*) filter (where answered_from = 'upstream') >= $least
),

legs as (
    select
        zone,
        server,
        server_ip as upstream,
        count(*) as upstream_transactions,
        percentile_cont(0.50) within group (order by latency_us) as p50_leg_us,
        row_number() over (partition by zone, server order by sum(latency_us) desc, server_ip) as place
    from asked
    where forwarded
    group by zone, server, server_ip
)

select
    waiting.*,
    legs.upstream,
    legs.upstream_transactions,
    legs.p50_leg_us
from waiting
left join legs on legs.zone is not distinct from waiting.zone and legs.server = waiting.server and legs.place = 1
where waiting.p50_upstream_us >= $least_us
order by waiting.waited_us desc, waiting.zone, waiting.server
