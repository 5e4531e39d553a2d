-- question: Which answers took longest?
-- grain: one row a name, type and server, the slowest first
-- read by: tailrace ask
-- parameter namespace text null: namespace of the client
-- parameter least integer 1: fewest answers of a name
with answered as (
    select
        qname,
        qtype,
        coalesce(service_namespace || '/' || service, server_namespace || '/' || server_workload, server_ip) as server,
        count(*) as transactions,
        percentile_cont(0.50) within group (order by latency_us) as p50_us,
        percentile_cont(0.95) within group (order by latency_us) as p95_us,
        max(latency_us) as longest_us
    from dns
    where latency_us is not null and ($namespace is null or client_namespace = $namespace)
    group by all
)

select qname, qtype, server, transactions, p50_us, p95_us, longest_us
from answered
where transactions >= $least
order by p95_us desc, qname, qtype, server
