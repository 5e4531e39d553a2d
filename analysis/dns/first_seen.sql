-- question: Which registered domains were asked for that nobody had asked for before, and by whom?
-- grain: one row a registered domain and client workload (or address), the newest domain first
-- read by: tailrace ask, the DNS page
-- parameter after time null: when the domain was first asked for, from then on; the last day of the lake if not told
-- parameter before time null: when the domain was first asked for, before then
-- parameter namespace text null: namespace of the client
-- parameter workload text null: workload of the client
with asked as (
    select
        -- What a search suffix of the cluster answered is a name of the cluster, however it was written.
        case when coalesce(answered_suffix, '.') = '.' then registered_domain end as registered_domain,
        client_namespace,
        client_workload_kind,
        coalesce(client_workload, client_ip) as client_name,
        min(start_time) as first_seen,
        max(start_time) as last_seen,
        count(*) as resolutions,
        count(*) filter (where outcome = 'answered') as answered,
        sum(connections) as connections,
        min(asked) as example
    from resolutions
    where not forwarded
    group by all
),

-- Names of the cluster have no registered domain; they tell as well since when there are records.
dated as (
    select
        *,
        min(first_seen) over (partition by registered_domain) as domain_first_seen,
        min(first_seen) over () as recorded_since,
        max(last_seen) over () as recorded_until
    from asked
)

select
    registered_domain,
    client_namespace,
    client_workload_kind,
    client_name,
    domain_first_seen,
    first_seen,
    last_seen,
    cast(floor(epoch(domain_first_seen) - epoch(recorded_since)) as bigint) as recorded_before_s,
    resolutions,
    answered,
    cast(connections as bigint) as connections,
    example
from dated
where registered_domain is not null
    and domain_first_seen >= coalesce($after, recorded_until - interval '1' day)
    and ($before is null or domain_first_seen < $before)
    and ($namespace is null or client_namespace = $namespace)
    and ($workload is null or client_name = $workload)
order by domain_first_seen desc, registered_domain, first_seen, client_namespace, client_workload_kind, client_name
