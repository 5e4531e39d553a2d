-- question: How long do names take, at each server?
-- grain: one row a server and power of two: latencies of [from_us, 2 × from_us) microseconds
-- read by: tailrace ask
-- parameter namespace text null: namespace of the client
-- parameter domain glob null: name that was asked for
with answered as (
    select
        coalesce(service_namespace || '/' || service, server_namespace || '/' || server_workload, server_ip) as server,
        cast(floor(log2(greatest(latency_us, 1))) as integer) as exponent
    from dns
    where
        latency_us is not null
        and ($namespace is null or client_namespace = $namespace)
        and ($domain is null or lower(qname) like lower($domain) escape '!')
)

select server, exponent, cast(power(2, exponent) as bigint) as from_us, count(*) as transactions
from answered
group by all
order by server, exponent
