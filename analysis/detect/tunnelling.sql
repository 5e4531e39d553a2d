-- question: Which client asks for so many names below one domain, each hardly twice, that they may carry data?
-- grain: one row a client workload (or address) and registered domain, the most characters in names first
-- read by: tailrace detect
-- parameter namespace text null: namespace of the client
-- parameter workload text null: workload of the client
-- parameter least integer 25: fewest different names
-- parameter least_percent integer 40: fewest different names of a hundred resolutions
-- parameter sample integer 500: names by which the rest is judged
with names as (
    select
        client_namespace,
        client_workload_kind,
        coalesce(client_workload, client_ip) as client_name,
        registered_domain,
        asked,
        count(*) as resolutions,
        count(*) filter (where outcome = 'answered') as answered,
        count(*) filter (
            where
                ',' || qtypes || ',' not like '%,A,%'
                and ',' || qtypes || ',' not like '%,AAAA,%'
                and ',' || qtypes || ',' not like '%,HTTPS,%'
        ) as without_address,
        min(start_time) as first_seen,
        max(start_time) as last_seen
    from resolutions
    where
        not forwarded
        and registered_domain not like '%.arpa'
        and length(asked) > length(registered_domain)
        and ($namespace is null or client_namespace = $namespace)
        and ($workload is null or client_workload = $workload)
    group by client_namespace, client_workload_kind, client_name, registered_domain, asked
),

candidates as (
    select
        client_namespace,
        client_workload_kind,
        client_name,
        registered_domain,
        count(*) as names,
        cast(sum(resolutions) as bigint) as resolutions,
        cast(sum(answered) as bigint) as answered,
        cast(sum(without_address) as bigint) as without_address,
        cast(sum(length(asked) - length(registered_domain) - 1) as bigint) as characters,
        max(length(asked)) as longest,
        min(first_seen) as first_seen,
        max(last_seen) as last_seen
    from names
    group by client_namespace, client_workload_kind, client_name, registered_domain
    having count(*) >= $least and count(*) * 100 >= sum(resolutions) * $least_percent
),

-- A hash puts them in an order that has nothing to do with what they say.
shuffled as (
    select
        names.client_namespace,
        names.client_workload_kind,
        names.client_name,
        names.registered_domain,
        substr(names.asked, 1, length(names.asked) - length(names.registered_domain) - 1) as before,
        row_number() over (
            partition by
                names.client_namespace, names.client_workload_kind, names.client_name, names.registered_domain
            order by md5(names.asked), names.asked
        ) as place
    from names
    inner join candidates
        on
            names.client_namespace is not distinct from candidates.client_namespace
            and names.client_workload_kind is not distinct from candidates.client_workload_kind
            and names.client_name = candidates.client_name
            and names.registered_domain = candidates.registered_domain
),

sampled as (
    select
        client_namespace,
        client_workload_kind,
        client_name,
        registered_domain,
        list_sort(array_agg(before)) as sample
    from shuffled
    where place <= $sample
    group by client_namespace, client_workload_kind, client_name, registered_domain
),

carried as (
    select
        client_namespace,
        client_workload_kind,
        coalesce(client_workload, client_ip) as client_name,
        registered_domain,
        cast(sum(query_bytes) as bigint) as query_bytes,
        cast(sum(response_bytes) as bigint) as response_bytes
    from dns
    where not forwarded and registered_domain in (select registered_domain from candidates)
    group by client_namespace, client_workload_kind, client_name, registered_domain
)

select
    candidates.*,
    carried.query_bytes,
    carried.response_bytes,
    sampled.sample
from candidates
inner join sampled
    on
        candidates.client_namespace is not distinct from sampled.client_namespace
        and candidates.client_workload_kind is not distinct from sampled.client_workload_kind
        and candidates.client_name = sampled.client_name
        and candidates.registered_domain = sampled.registered_domain
left join carried
    on
        candidates.client_namespace is not distinct from carried.client_namespace
        and candidates.client_workload_kind is not distinct from carried.client_workload_kind
        and candidates.client_name = carried.client_name
        and candidates.registered_domain = carried.registered_domain
order by
    candidates.characters desc,
    candidates.client_namespace,
    candidates.client_workload_kind,
    candidates.client_name,
    candidates.registered_domain
