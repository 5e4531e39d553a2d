-- question: Which names resolve, and lead to addresses that refuse connections or do not answer them?
-- grain: one row a client workload (or address) and name, the most failed connections first
-- read by: the DNS doctor
-- parameter namespace text null: namespace of the client
-- parameter workload text null: workload of the client
-- parameter least integer 3: fewest failed connections, of the client or of all who asked for the name
-- parameter share integer 20: fewest of a hundred of these connections that failed
with told as (
    select
        client_namespace,
        client_workload_kind,
        coalesce(client_workload, client_ip) as client_name,
        asked,
        case when answered_suffix = '.' then asked else asked || '.' || answered_suffix end as name,
        queries,
        connections,
        failed_connections,
        start_time
    from resolutions
    where connections > 0 and not forwarded
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
        cast(sum(queries) as bigint) as queries,
        cast(sum(connections) as bigint) as connections,
        cast(sum(failed_connections) as bigint) as failed_connections,
        min(start_time) as first_seen,
        max(start_time) as last_seen
    from told
    group by client_namespace, client_workload_kind, client_name, asked, name
),

weighed as (
    select
        *,
        sum(connections) over (partition by name) as all_connections,
        sum(failed_connections) over (partition by name) as all_failed
    from counted
),

failing as (
    select
        *,
        row_number() over (order by client_namespace, client_workload_kind, client_name, asked, name) as number
    from weighed
    where failed_connections > 0
        and (
            failed_connections >= $least and 100 * failed_connections >= $share * connections
            or all_failed >= $least and 100 * all_failed >= $share * all_connections
        )
),

-- Lists of addresses are read of these names only: grouping by them costs more than reading the table again.
tried as (
    select distinct failing.number, resolutions.client_ip, unnest(resolutions.addresses) as address
    from resolutions
    join failing
        on resolutions.asked = failing.asked
        and coalesce(resolutions.client_workload, resolutions.client_ip) = failing.client_name
        and resolutions.client_namespace is not distinct from failing.client_namespace
        and resolutions.client_workload_kind is not distinct from failing.client_workload_kind
    where resolutions.failed_connections > 0 and not resolutions.forwarded
),

-- Of a connection with several records the one that it is counted by tells the state.
attempts as (
    select
        src_ip,
        dst_ip,
        dst_port,
        connection_state in ('REJ', 'RSTRH') as refused,
        count(distinct connection_id) as attempts
    from flows
    where protocol = 6 and connection_state in ('S0', 'SH', 'RSTOS0', 'REJ', 'RSTRH')
        and (counted is null or counted in ('alone', 'first'))
        and src_ip in (select client_ip from tried) and dst_ip in (select address from tried)
    group by src_ip, dst_ip, dst_port, refused
),

seen as (
    select
        number,
        sum(attempts) filter (where refused) as refused,
        sum(attempts) filter (where not refused) as silent,
        min(dst_port) as least_port,
        max(dst_port) as most_port,
        min(dst_ip) as example_ip
    from tried
    join attempts on tried.client_ip = attempts.src_ip and tried.address = attempts.dst_ip
    group by number
)

select
    client_namespace,
    client_workload_kind,
    client_name,
    asked,
    name,
    resolutions,
    queries,
    connections,
    failed_connections,
    cast(coalesce(refused, 0) as bigint) as refused,
    cast(coalesce(silent, 0) as bigint) as silent,
    least_port,
    most_port,
    example_ip,
    first_seen,
    last_seen
from failing
left join seen on failing.number = seen.number
order by failed_connections desc, client_namespace, client_workload_kind, client_name, asked, name
