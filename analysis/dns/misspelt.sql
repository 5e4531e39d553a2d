-- question: Which names does a client ask for again and again that do not exist?
-- grain: one row a client workload (or address) and name, the most resolutions first
-- read by: the DNS doctor
-- parameter namespace text null: namespace of the client
-- parameter workload text null: workload of the client
-- parameter least integer 3: fewest resolutions
with ended as (
    select
        client_namespace,
        client_workload_kind,
        coalesce(client_workload, client_ip) as client_name,
        asked,
        outcome,
        queries,
        epoch(end_time) - epoch(start_time) as seconds,
        start_time
    from resolutions
    where outcome in ('answered', 'nxdomain', 'no_data') and not forwarded and asked not like '%.arpa'
        and ($namespace is null or client_namespace = $namespace)
        and ($workload is null or client_workload = $workload)
),

counted as (
    select
        client_namespace,
        client_workload_kind,
        client_name,
        asked,
        count(*) as resolutions,
        count(*) filter (where outcome = 'answered') as answered,
        cast(sum(queries) as bigint) as queries,
        cast(round(1000000 * sum(seconds)) as bigint) as waited_us,
        min(start_time) as first_seen,
        max(start_time) as last_seen
    from ended
    group by client_namespace, client_workload_kind, client_name, asked
)

select *
from counted
where answered = 0 and resolutions >= $least
order by resolutions desc, client_namespace, client_workload_kind, client_name, asked
