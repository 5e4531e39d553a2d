-- question: How well is each workload served with names?
-- grain: one row a client workload (or address, where no workload is known), the most transactions first
-- read by: tailrace ask
-- parameter namespace text null: namespace of the client
with span as (
    select greatest(epoch(max(start_time)) - epoch(min(start_time)), 1) as seconds
    from dns
),

asked as (
    select
        client_namespace,
        client_workload_kind,
        coalesce(client_workload, client_ip) as client_name,
        rcode,
        outcome,
        attempts,
        latency_us
    from dns
    where $namespace is null or client_namespace = $namespace
),

counted as (
    select
        client_namespace,
        client_workload_kind,
        client_name,
        count(*) as transactions,
        count(*) filter (where rcode = 'NOERROR') as noerror,
        count(*) filter (where rcode = 'NXDOMAIN') as nxdomain,
        count(*) filter (where rcode = 'SERVFAIL') as servfail,
        count(*) filter (where rcode = 'REFUSED') as refused,
        count(*) filter (where rcode not in ('NOERROR', 'NXDOMAIN', 'SERVFAIL', 'REFUSED')) as other_errors,
        count(*) filter (where outcome = 'unanswered') as unanswered,
        count(*) filter (where outcome = 'unsolicited') as unsolicited,
        count(*) filter (where attempts > 1) as retried,
        percentile_cont(0.50) within group (order by latency_us) as p50_us,
        percentile_cont(0.95) within group (order by latency_us) as p95_us,
        percentile_cont(0.99) within group (order by latency_us) as p99_us
    from asked
    group by all
)

select
    client_namespace,
    client_workload_kind,
    client_name,
    transactions,
    transactions / span.seconds as per_second,
    noerror,
    nxdomain,
    servfail,
    refused,
    other_errors,
    unanswered,
    unsolicited,
    retried,
    p50_us,
    p95_us,
    p99_us
from counted
cross join span
order by transactions desc, client_namespace, client_workload_kind, client_name
