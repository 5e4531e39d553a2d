-- question: Which zones do clients wait for because the servers wait for an upstream, and how much comes from the cache?
-- grain: one row a zone (NULL: names that nobody registered) and server, the most time waited for upstreams first
-- read by: the DNS doctor, tailrace ask
-- parameter namespace text null: namespace of the client
-- parameter workload text null: workload of the client
-- parameter least integer 5: fewest answers that an upstream was waited for
-- parameter least_us integer 100000: the least median wait; recursion on a continent takes less
with waiting as (
    select
        registered_domain as zone,
        coalesce(server_namespace || '/' || coalesce(server_workload, server_pod), server_ip) as server,
        count(*) as from_upstream,
        cast(sum(upstream_us) as bigint) as waited_us,
        cast(sum(latency_us) as bigint) as latency_us,
        percentile_cont(0.50) within group (order by upstream_us) as p50_upstream_us,
        percentile_cont(0.50) within group (order by latency_us - upstream_us) as p50_own_us,
        max(upstream_us) as longest_us,
        min(qname) as example,
        min(start_time) as first_seen,
        max(start_time) as last_seen
    from dns
    where
        answered_from = 'upstream'
        and latency_us is not null
        and rcode in ('NOERROR', 'NXDOMAIN')
        and not forwarded
        and ($namespace is null or client_namespace = $namespace)
        and ($workload is null or client_workload = $workload)
    group by registered_domain, coalesce(server_namespace || '/' || coalesce(server_workload, server_pod), server_ip)
    having count(*) >= $least and percentile_cont(0.50) within group (order by upstream_us) >= $least_us
),

kept as (
    select
        registered_domain as zone,
        coalesce(server_namespace || '/' || coalesce(server_workload, server_pod), server_ip) as server,
        count(*) as from_cache,
        percentile_cont(0.50) within group (order by latency_us) as p50_cache_us
    from dns
    where
        answered_from = 'cache'
        and coalesce(registered_domain, '') in (select coalesce(zone, '') from waiting)
        and rcode in ('NOERROR', 'NXDOMAIN')
        and not forwarded
        and ($namespace is null or client_namespace = $namespace)
        and ($workload is null or client_workload = $workload)
    group by registered_domain, coalesce(server_namespace || '/' || coalesce(server_workload, server_pod), server_ip)
),

leg as (
    select
        registered_domain as zone,
        coalesce(client_namespace || '/' || coalesce(client_workload, client_pod), client_ip) as server,
        server_ip as upstream,
        count(*) as upstream_transactions,
        percentile_cont(0.50) within group (order by latency_us) as p50_leg_us,
        sum(latency_us) as leg_us
    from dns
    where
        forwarded
        and latency_us is not null
        and coalesce(registered_domain, '') in (select coalesce(zone, '') from waiting)
    group by
        registered_domain, coalesce(client_namespace || '/' || coalesce(client_workload, client_pod), client_ip), server_ip
),

longest_leg as (
    select *, row_number() over (partition by zone, server order by leg_us desc, upstream) as place
    from leg
)

select
    waiting.*,
    coalesce(kept.from_cache, 0) as from_cache,
    kept.p50_cache_us,
    longest_leg.upstream,
    longest_leg.upstream_transactions,
    longest_leg.p50_leg_us
from waiting
left join kept on coalesce(kept.zone, '') = coalesce(waiting.zone, '') and kept.server = waiting.server
left join longest_leg
    on coalesce(longest_leg.zone, '') = coalesce(waiting.zone, '')
    and longest_leg.server = waiting.server
    and longest_leg.place = 1
order by waiting.waited_us desc, waiting.zone, waiting.server
