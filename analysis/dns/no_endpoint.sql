-- question: Which names of the cluster did a client ask for whose connections then failed, or were never made?
-- grain: one row a client workload (or address) and name, the most failed connections first
-- read by: the DNS doctor
-- parameter namespace text null: namespace of the client
-- parameter workload text null: workload of the client
-- parameter least integer 1: fewest resolutions
with named as (
    select
        client_namespace,
        client_workload_kind,
        coalesce(client_workload, client_ip) as client_name,
        asked,
        case when answered_suffix = '.' then asked else asked || '.' || answered_suffix end as name,
        queries,
        coalesce(duration_us, 0) as duration_us,
        connections,
        failed_connections,
        start_time
    from resolutions
    where outcome in ('answered', 'no_data', 'nxdomain') and not forwarded
        and (answered_suffix is null or answered_suffix like '%svc.%' or asked like '%.svc' or asked like '%.svc.%')
        and ($namespace is null or client_namespace = $namespace)
        and ($workload is null or client_workload = $workload)
),

counted as (
    select
        client_namespace,
        client_workload_kind,
        client_name,
        asked,
        name,
        count(*) as resolutions,
        count(name) as answered,
        cast(sum(queries) as bigint) as queries,
        cast(sum(duration_us) as bigint) as waited_us,
        cast(sum(connections) as bigint) as connections,
        cast(sum(failed_connections) as bigint) as failed_connections,
        min(start_time) as first_seen,
        max(start_time) as last_seen
    from named
    group by client_namespace, client_workload_kind, client_name, asked, name
)

select *
from counted
where resolutions >= $least and (failed_connections > 0 or coalesce(connections, 0) = 0)
order by
    failed_connections desc nulls last, resolutions desc,
    client_namespace, client_workload_kind, client_name, asked, name
