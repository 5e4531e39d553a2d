-- question: Where does the time of an answer go: to the server itself, or to its upstreams?
-- grain: one row a server, leg (client: the whole wait; server: without upstreams; upstream) and power of two of µs
-- read by: tailrace ask, viz
-- parameter namespace text null: namespace of the client
-- parameter workload text null: workload of the client
-- parameter domain glob null: name that was asked for
with answered as (
    select
        coalesce(
            server_namespace || '/' || coalesce(server_pod, server_workload), service_namespace || '/' || service, server_ip
        ) as server,
        cast(floor(log2(greatest(latency_us, 1))) as integer) as client_exponent,
        cast(floor(log2(greatest(latency_us - coalesce(upstream_us, 0), 1))) as integer) as server_exponent,
        case when upstream_us is not null then cast(floor(log2(greatest(upstream_us, 1))) as integer) end
            as upstream_exponent
    from dns
    where
        outcome = 'answered'
        and latency_us is not null
        and not forwarded
        and ($namespace is null or client_namespace = $namespace)
        and ($workload is null or client_workload = $workload)
        and ($domain is null or lower(qname) like lower($domain) escape '!')
),

combined as (
    select server, client_exponent, server_exponent, upstream_exponent, count(*) as transactions
    from answered
    group by all
),

split as (
    select server, 'client' as leg, client_exponent as exponent, transactions from combined
    union all
    select server, 'server' as leg, server_exponent as exponent, transactions from combined
    union all
    select server, 'upstream' as leg, upstream_exponent as exponent, transactions
    from combined
    where upstream_exponent is not null
)

select
    server,
    leg,
    exponent,
    cast(power(2, exponent) as bigint) as from_us,
    cast(sum(transactions) as bigint) as transactions
from split
group by server, leg, exponent
order by server, leg, exponent
