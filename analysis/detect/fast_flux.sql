-- question: Which names lead to ever other addresses, all over the Internet?
-- grain: one row a name, the most addresses first
-- read by: tailrace detect
-- parameter namespace text null: namespace of the client
-- parameter workload text null: workload of the client
-- parameter least integer 10: fewest different first octets (a.*.*.*) of its addresses
-- parameter least_percent integer 60: fewest of them of a hundred addresses
-- parameter longest_ttl integer 900: longest time to live of its records, in seconds
-- parameter shown integer 8: addresses that are shown
with answers as (
    select
        asked,
        registered_domain,
        addresses,
        min(coalesce(client_namespace || '/', '') || coalesce(client_workload, client_ip)) as client,
        max(coalesce(client_namespace || '/', '') || coalesce(client_workload, client_ip)) as other_client,
        count(*) as resolutions,
        max(ttl) as ttl,
        coalesce(sum(connections), 0) as connections,
        min(start_time) as first_seen,
        max(start_time) as last_seen
    from resolutions
    where
        not forwarded
        and registered_domain is not null
        and ttl <= $longest_ttl
        and ($namespace is null or client_namespace = $namespace)
        and ($workload is null or client_workload = $workload)
    group by asked, registered_domain, addresses
),

asked_for as (
    select
        asked,
        registered_domain,
        cast(sum(resolutions) as bigint) as resolutions,
        min(client) as client,
        max(other_client) as other_client,
        max(ttl) as ttl,
        cast(sum(connections) as bigint) as connections,
        min(first_seen) as first_seen,
        max(last_seen) as last_seen
    from answers
    group by asked, registered_domain
),

told as (
    select asked, unnest(addresses) as address
    from answers
),

addresses as (
    select distinct
        asked,
        address,
        case when address like '%:%' then split_part(address, ':', 1) else split_part(address, '.', 1) end as octet,
        case
            when address like '%:%' then split_part(address, ':', 1) || ':' || split_part(address, ':', 2)
            else split_part(address, '.', 1) || '.' || split_part(address, '.', 2)
        end as network
    from told
),

spread as (
    select
        asked,
        count(*) as addresses,
        count(distinct octet) as octets,
        count(distinct network) as networks
    from addresses
    group by asked
    having count(distinct octet) >= $least and count(distinct octet) * 100 >= least(count(*), 100) * $least_percent
),

placed as (
    select
        addresses.asked,
        addresses.address,
        row_number() over (partition by addresses.asked order by md5(addresses.address), addresses.address) as place
    from addresses
    inner join spread on addresses.asked = spread.asked
),

examples as (
    select asked, list_sort(array_agg(address)) as examples
    from placed
    where place <= $shown
    group by asked
)

select
    asked_for.asked,
    asked_for.registered_domain,
    asked_for.client,
    asked_for.other_client,
    spread.addresses,
    spread.networks,
    spread.octets,
    asked_for.ttl,
    asked_for.resolutions,
    asked_for.connections,
    examples.examples,
    asked_for.first_seen,
    asked_for.last_seen
from asked_for
inner join spread on asked_for.asked = spread.asked
inner join examples on asked_for.asked = examples.asked
order by spread.addresses desc, asked_for.asked
