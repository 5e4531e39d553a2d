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
        client_ip,
        asked,
        case when answered_suffix = '.' then asked else asked || '.' || answered_suffix end as name,
        case when failed_connections > 0 then addresses end as failed_addresses,
        queries,
        connections,
        failed_connections,
        start_time
    from resolutions
    where connections > 0 and not forwarded
        and ($namespace is null or client_namespace = $namespace)
        and ($workload is null or client_workload = $workload)
),

grouped as (
    select
        client_namespace, client_workload_kind, client_name, client_ip, asked, name, failed_addresses,
        count(*) as resolutions,
        sum(queries) as queries,
        sum(connections) as connections,
        sum(failed_connections) as failed,
        min(start_time) as first_seen,
        max(start_time) as last_seen
    from told
    group by client_namespace, client_workload_kind, client_name, client_ip, asked, name, failed_addresses
),

weighed as (
    select
        *,
        sum(connections) over own as own_connections,
        sum(failed) over own as own_failed,
        sum(connections) over named as all_connections,
        sum(failed) over named as all_failed
    from grouped
    window
        own as (partition by client_namespace, client_workload_kind, client_name, asked, name),
        named as (partition by name)
),

failing as (
    select
        *,
        dense_rank() over (order by client_namespace, client_workload_kind, client_name, asked, name) as number
    from weighed
    where own_failed > 0
        and (
            own_failed >= $least and 100 * own_failed >= $share * own_connections
            or all_failed >= $least and 100 * all_failed >= $share * all_connections
        )
),

tried as (
    select distinct number, client_ip, unnest(failed_addresses) as address
    from failing
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
    cast(sum(resolutions) as bigint) as resolutions,
    cast(sum(queries) as bigint) as queries,
    cast(sum(connections) as bigint) as connections,
    cast(sum(failed) as bigint) as failed_connections,
    cast(coalesce(max(seen.refused), 0) as bigint) as refused,
    cast(coalesce(max(seen.silent), 0) as bigint) as silent,
    max(least_port) as least_port,
    max(most_port) as most_port,
    max(example_ip) as example_ip,
    min(first_seen) as first_seen,
    max(last_seen) as last_seen
from failing
left join seen on failing.number = seen.number
group by client_namespace, client_workload_kind, client_name, asked, name
order by failed_connections desc, client_namespace, client_workload_kind, client_name, asked, name
