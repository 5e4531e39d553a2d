-- question: Which names does a client resolve again and again without ever connecting to them?
-- grain: one row a client workload (or address) and name, the most resolutions first
-- read by: the DNS doctor
-- parameter namespace text null: namespace of the client
-- parameter workload text null: workload of the client
-- parameter least integer 10: fewest resolutions of which it is known that no connection followed
with told as (
    select
        client_namespace,
        client_workload_kind,
        coalesce(client_workload, client_ip) as client_name,
        asked,
        case when answered_suffix = '.' then asked else asked || '.' || answered_suffix end as name,
        queries,
        connections,
        start_time
    from resolutions
    where outcome = 'answered' and not forwarded
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
        count(connections) as told,
        cast(sum(queries) as bigint) as queries,
        sum(connections) as connections,
        min(start_time) as first_seen,
        max(start_time) as last_seen
    from told
    group by client_namespace, client_workload_kind, client_name, asked, name
),

-- Of the last resolutions before records end it is not known what follows: as many as needed have to be known of.
candidates as (
    select
        *,
        row_number() over (order by client_namespace, client_workload_kind, client_name, asked, name) as number
    from counted
    where told >= $least and connections = 0
),

-- Lists of addresses are read of these names only: grouping by them costs more than reading the table again.
given as (
    select distinct candidates.number, unnest(resolutions.addresses) as known_by
    from resolutions
    join candidates
        on resolutions.asked = candidates.asked
        and coalesce(resolutions.client_workload, resolutions.client_ip) = candidates.client_name
        and resolutions.client_namespace is not distinct from candidates.client_namespace
        and resolutions.client_workload_kind is not distinct from candidates.client_workload_kind
    where resolutions.connections = 0 and not resolutions.forwarded
),

-- By what a connection to the name may be known: an address of it, its Service, or the name itself.
known as (
    select number, known_by from given
    union
    select number, split_part(name, '.svc.', 1) from candidates
    union
    select number, asked from candidates
),

ends as (
    select known.number, known_by, client_namespace, client_workload_kind, client_name
    from known
    join candidates on known.number = candidates.number
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
    resolutions,
    queries,
    first_seen,
    last_seen
from candidates
where number not in (select number from used)
order by resolutions desc, client_namespace, client_workload_kind, client_name, asked, name
