-- question: What does the name of a Service cost, in queries and time, for each workload that uses it?
-- grain: one row a client workload (or address) and Service, the most queries first
-- read by: tailrace ask
-- parameter namespace text null: namespace of the client
-- parameter workload text null: workload of the client
-- parameter service_namespace text null: namespace of the Service
-- parameter service text null: Service whose name was asked for
with called as (
    select
        client_namespace,
        client_workload_kind,
        coalesce(client_workload, client_ip) as client_name,
        asked,
        case when answered_suffix = '.' then asked else asked || '.' || answered_suffix end as full_name,
        count(*) as resolutions,
        sum(queries) as queries,
        sum(wasted_queries) as wasted_queries,
        sum(retries) as retries,
        sum(duration_us) as duration_us,
        sum(wasted_us) as wasted_us,
        sum(connections) as connections
    from resolutions
    where not forwarded and answered_suffix is not null
        and ($namespace is null or client_namespace = $namespace)
        and ($workload is null or client_workload = $workload)
    group by
        client_namespace, client_workload_kind, coalesce(client_workload, client_ip), asked, answered_suffix
),

-- SERVICE.NAMESPACE.svc.DOMAIN, or a pod or a port of it before that.
split as (
    select
        *,
        regexp_extract(full_name, '([^.]+)[.]([^.]+)[.]svc[.]', 1) as to_service,
        regexp_extract(full_name, '([^.]+)[.]([^.]+)[.]svc[.]', 2) as to_namespace
    from called
)

select
    client_namespace,
    client_workload_kind,
    client_name,
    to_namespace as service_namespace,
    to_service as service,
    count(distinct asked) as names,
    min(asked) as example,
    sum(resolutions) as resolutions,
    sum(queries) as queries,
    sum(queries) / cast(sum(resolutions) as double) as queries_per_resolution,
    sum(wasted_queries) as wasted_queries,
    sum(wasted_queries) / cast(sum(queries) as double) as wasted_share,
    sum(retries) as retries,
    sum(duration_us) as waited_us,
    sum(wasted_us) as wasted_us,
    sum(connections) as connections
from split
where to_service <> ''
    and ($service_namespace is null or to_namespace = $service_namespace)
    and ($service is null or to_service = $service)
group by client_namespace, client_workload_kind, client_name, to_namespace, to_service
order by queries desc, client_namespace, client_workload_kind, client_name, to_namespace, to_service
