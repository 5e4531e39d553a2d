-- question: Which client asks for many registered domains that do not exist?
-- grain: one row a client workload (or address) and day, the most such domains first
-- read by: tailrace detect
-- parameter namespace text null: namespace of the client
-- parameter workload text null: workload of the client
-- parameter least integer 15: fewest registered domains of a day that do not exist
-- parameter least_percent integer 50: fewest of them among a hundred registered domains asked for
-- parameter shown integer 8: names that are shown
with asked as (
    select
        client_namespace,
        client_workload_kind,
        coalesce(client_workload, client_ip) as client_name,
        -- Days of UTC as numbers: dates of times with a time zone take longer than all the rest.
        floor(epoch(start_time) / 86400) as day,
        registered_domain,
        outcome,
        start_time
    from resolutions
    where
        not forwarded
        and registered_domain not like '%.arpa'
        and ($namespace is null or client_namespace = $namespace)
        and ($workload is null or client_workload = $workload)
),

candidates as (
    select client_namespace, client_workload_kind, client_name, day
    from asked
    where outcome = 'nxdomain'
    group by client_namespace, client_workload_kind, client_name, day
    having count(*) >= $least
),

domains as (
    select
        asked.client_namespace,
        asked.client_workload_kind,
        asked.client_name,
        asked.day,
        asked.registered_domain,
        count(*) as resolutions,
        -- A name that does not exist, below a domain of which another does, is another matter.
        count(*) filter (where asked.outcome in ('answered', 'no_data')) = 0
        and count(*) filter (where asked.outcome = 'nxdomain') > 0 as absent,
        min(asked.start_time) as first_seen,
        max(asked.start_time) as last_seen
    from asked
    inner join candidates
        on
            asked.client_namespace is not distinct from candidates.client_namespace
            and asked.client_workload_kind is not distinct from candidates.client_workload_kind
            and asked.client_name = candidates.client_name
            and asked.day = candidates.day
    group by
        asked.client_namespace, asked.client_workload_kind, asked.client_name, asked.day, asked.registered_domain
),

placed as (
    select
        *,
        split_part(registered_domain, '.', 1) as label,
        row_number() over (
            partition by client_namespace, client_workload_kind, client_name, day, absent
            order by first_seen, registered_domain
        ) as place
    from domains
)

select
    client_namespace,
    client_workload_kind,
    client_name,
    count(*) as domains,
    count(*) filter (where absent) as absent,
    cast(sum(resolutions) filter (where absent) as bigint) as resolutions,
    count(distinct substr(registered_domain, length(label) + 2)) filter (where absent) as suffixes,
    cast(sum(length(label)) filter (where absent) as bigint) as characters,
    cast(sum(length(label) - length(translate(label, 'aeiou', ''))) filter (where absent) as bigint) as vowels,
    list_sort(array_agg(registered_domain) filter (where absent and place <= $shown)) as examples,
    min(first_seen) filter (where absent) as first_seen,
    max(last_seen) filter (where absent) as last_seen
from placed
group by client_namespace, client_workload_kind, client_name, day
having
    count(*) filter (where absent) >= $least
    and count(*) filter (where absent) * 100 >= count(*) * $least_percent
order by absent desc, day, client_namespace, client_workload_kind, client_name
