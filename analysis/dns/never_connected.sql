-- question: Which names does a client resolve again and again without ever connecting to them?
-- grain: one row a client workload (or address) and name, the most resolutions first
-- read by: the DNS doctor
-- parameter namespace text null: namespace of the client
-- parameter workload text null: workload of the client
-- parameter least integer 10: fewest resolutions
with told as (
    select
        client_namespace,
        client_workload_kind,
        coalesce(client_workload, client_ip) as client_name,
        asked,
        case when answered_suffix = '.' then asked else asked || '.' || answered_suffix end as name,
        case when connections = 0 then addresses end as unused,
        queries,
        duration_us,
        connections,
        start_time
    from resolutions
    where outcome = 'answered' and not forwarded
        and ($namespace is null or client_namespace = $namespace)
        and ($workload is null or client_workload = $workload)
),

grouped as (
    select
        client_namespace, client_workload_kind, client_name, asked, name, unused,
        count(*) as resolutions,
        count(connections) as told,
        sum(queries) as queries,
        sum(duration_us) as waited_us,
        sum(connections) as connections,
        min(start_time) as first_seen,
        max(start_time) as last_seen
    from told
    group by client_namespace, client_workload_kind, client_name, asked, name, unused
),

weighed as (
    select
        *,
        sum(resolutions) over named as all_resolutions,
        sum(told) over named as all_told,
        sum(connections) over named as all_connections
    from grouped
    window named as (partition by client_namespace, client_workload_kind, client_name, asked, name)
),

-- Not known of one resolution is not known of the name: its connections may be those that nobody saw.
candidates as (
    select
        *,
        dense_rank() over (order by client_namespace, client_workload_kind, client_name, asked, name) as number
    from weighed
    where all_resolutions >= $least and all_told = all_resolutions and all_connections = 0
),

-- By what a connection to the name may be known: an address of it, its Service, or the name itself.
ends as (
    select number, client_namespace, client_workload_kind, client_name, unnest(unused) as known_by from candidates
    union
    select number, client_namespace, client_workload_kind, client_name, split_part(name, '.svc.', 1) from candidates
    union
    select number, client_namespace, client_workload_kind, client_name, asked from candidates
),

-- Whenever it was opened: a client that keeps its connection resolves the name and opens none.
reached as (
    select distinct
        src_namespace,
        src_workload_kind,
        coalesce(src_workload, src_ip) as src_name,
        unnest([dst_ip, backend_ip, dst_domain, service || '.' || service_namespace]) as known_by
    from flows
    where coalesce(src_workload, src_ip) in (select client_name from candidates)
),

used as (
    select distinct ends.number
    from ends
    join reached
        on ends.client_namespace is not distinct from reached.src_namespace
        and ends.client_workload_kind is not distinct from reached.src_workload_kind
        and ends.client_name = reached.src_name and ends.known_by = reached.known_by
)

select
    client_namespace,
    client_workload_kind,
    client_name,
    asked,
    name,
    cast(sum(resolutions) as bigint) as resolutions,
    cast(sum(queries) as bigint) as queries,
    cast(coalesce(sum(waited_us), 0) as bigint) as waited_us,
    min(first_seen) as first_seen,
    max(last_seen) as last_seen
from candidates
where number not in (select number from used)
group by client_namespace, client_workload_kind, client_name, asked, name
order by resolutions desc, client_namespace, client_workload_kind, client_name, asked, name
