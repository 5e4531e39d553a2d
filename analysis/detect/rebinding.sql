-- question: Which names from outside lead to addresses of the inside?
-- grain: one row a client workload (or address) and name, those that led outside before first
-- read by: tailrace detect
-- parameter namespace text null: namespace of the client
-- parameter workload text null: workload of the client
with sets as (
    select distinct registered_domain, addresses
    from resolutions
    where not forwarded and registered_domain is not null and addresses is not null
),

told as (
    select registered_domain, unnest(addresses) as address
    from sets
),

-- RFC 1918, 3927, 4193, 4291, 6598. Block lists answer the rest of 127/8 (RFC 5782), filters 0.0.0.0.
places as (
    select distinct
        address,
        case
            when address in ('127.0.0.1', '::1', '::ffff:127.0.0.1') then 'loopback'
            when address like '127.%' or address in ('0.0.0.0', '::') then 'none'
            when address like '169.254.%' then 'link-local'
            when substr(address, 1, 3) in ('fe8', 'fe9', 'fea', 'feb') and address like '____:%' then 'link-local'
            when address like '10.%' or address like '192.168.%' then 'private'
            when address like '172.%' and try_cast(split_part(address, '.', 2) as integer) between 16 and 31
                then 'private'
            when address like '100.%' and try_cast(split_part(address, '.', 2) as integer) between 64 and 127
                then 'shared'
            when substr(address, 1, 2) in ('fc', 'fd') and address like '____:%' then 'private'
            else 'public'
        end as place
    from told
),

suspects as (
    select distinct told.registered_domain
    from told
    inner join places on told.address = places.address
    where places.place not in ('public', 'none')
),

answers as (
    select
        client_namespace,
        client_workload_kind,
        coalesce(client_workload, client_ip) as client_name,
        asked,
        registered_domain,
        addresses,
        count(*) as resolutions,
        min(ttl) as ttl,
        coalesce(sum(connections), 0) as connections,
        min(start_time) as first_seen,
        max(start_time) as last_seen
    from resolutions
    where
        not forwarded
        and addresses is not null
        and asked not like 'localhost.%'
        and registered_domain in (select registered_domain from suspects)
    group by client_namespace, client_workload_kind, client_name, asked, registered_domain, addresses
),

each as (
    select *, unnest(addresses) as address
    from answers
),

placed as (
    select each.*, places.place
    from each
    inner join places on each.address = places.address
),

inside as (
    select
        client_namespace,
        client_workload_kind,
        client_name,
        asked,
        registered_domain,
        min(place) as place,
        min(placed.address) as inside,
        count(distinct placed.address) as inside_addresses,
        count(assigned.ip) > 0 as of_cluster,
        cast(sum(resolutions) as bigint) as resolutions,
        cast(sum(connections) as bigint) as connections,
        min(ttl) as ttl,
        min(first_seen) as first_inside,
        max(last_seen) as last_inside
    from placed
    left join (select distinct ip from assignments) as assigned on placed.address = assigned.ip
    where
        place not in ('public', 'none')
        and ($namespace is null or client_namespace = $namespace)
        and ($workload is null or client_name = $workload)
    group by client_namespace, client_workload_kind, client_name, asked, registered_domain
),

outside as (
    select
        client_namespace,
        client_workload_kind,
        client_name,
        asked,
        min(address) as outside,
        count(distinct address) as outside_addresses,
        min(first_seen) as first_outside,
        max(last_seen) as last_outside
    from placed
    where place = 'public' and asked in (select asked from inside)
    group by client_namespace, client_workload_kind, client_name, asked
),

zones as (
    select
        registered_domain,
        count(distinct coalesce(client_namespace || '/', '') || client_name) as zone_clients
    from answers
    group by registered_domain
)

select
    inside.*,
    outside.outside,
    coalesce(outside.outside_addresses, 0) as outside_addresses,
    outside.first_outside,
    outside.last_outside,
    zones.zone_clients
from inside
inner join zones on inside.registered_domain = zones.registered_domain
left join outside
    on
        inside.client_namespace is not distinct from outside.client_namespace
        and inside.client_workload_kind is not distinct from outside.client_workload_kind
        and inside.client_name = outside.client_name
        and inside.asked = outside.asked
order by
    outside.outside is null,
    inside.first_inside,
    inside.client_namespace,
    inside.client_workload_kind,
    inside.client_name,
    inside.asked
