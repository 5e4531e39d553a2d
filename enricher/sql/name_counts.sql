-- How many names of an address are valid for a client, from each moment on at which that changes.
-- In: resolution. Out: name_count (cluster, client_ip, address, from_us, names).
-- Answers that give one name again while it is valid make one span; the spans are summed up, never paired.
create or replace temp table name_count as
with known as (
    select
        *,
        max(until_us) over (
            partition by cluster, client_ip, address, name
            order by response_us rows between unbounded preceding and 1 preceding
        ) as known_until_us
    from resolution
),
numbered as (
    select
        *,
        count(*) filter (known_until_us is null or known_until_us < response_us) over (
            partition by cluster, client_ip, address, name order by response_us rows unbounded preceding
        ) as span
    from known
),
valid as (
    select cluster, client_ip, address, min(response_us) as from_us, max(until_us) as until_us
    from numbered
    group by cluster, client_ip, address, name, span
),
change as (
    select cluster, client_ip, address, from_us, 1 as names from valid
    union all
    select cluster, client_ip, address, until_us as from_us, -1 as names from valid
),
summed as (
    select cluster, client_ip, address, from_us, sum(names) as names
    from change
    group by cluster, client_ip, address, from_us
)
select
    cluster,
    client_ip,
    address,
    from_us,
    sum(names) over (partition by cluster, client_ip, address order by from_us) as names
from summed
