-- question: How soon does each server of a workload (or of a Service) answer by itself, and how much has each to do?
-- grain: one row a server and power of two: answers that took it [from_us, 2 × from_us) microseconds beside its upstreams
-- read by: the DNS doctor, tailrace ask
-- parameter namespace text null: namespace of the client
-- parameter workload text null: workload of the client
with answered as (
    select
        server_namespace,
        server_workload,
        service_namespace,
        service,
        server_pod,
        server_node,
        cast(floor(log2(greatest(latency_us - coalesce(upstream_us, 0), 1))) as integer) as exponent,
        count(*) as transactions,
        sum(latency_us - coalesce(upstream_us, 0)) as total_us
    from dns
    where
        outcome = 'answered'
        and latency_us is not null
        and attempts = 1
        and not forwarded
        and rcode in ('NOERROR', 'NXDOMAIN')
        and server_pod is not null
        -- On the columns as they are: put together they would be for every row, to be compared with NULL.
        and (
            (server_namespace is not null and server_workload is not null)
            or (service_namespace is not null and service is not null)
        )
        and ($namespace is null or client_namespace = $namespace)
        and ($workload is null or client_workload = $workload)
    group by all
),

grouped as (
    select
        coalesce(server_namespace || '/' || server_workload, service_namespace || '/' || service) as siblings,
        server_namespace || '/' || server_pod as server,
        server_node,
        exponent,
        transactions,
        total_us
    from answered
)

select
    siblings,
    server,
    min(server_node) as server_node,
    exponent,
    cast(power(2, exponent) as bigint) as from_us,
    cast(sum(transactions) as bigint) as transactions,
    cast(sum(total_us) as bigint) as total_us
from grouped
group by siblings, server, exponent
order by siblings, server, exponent
