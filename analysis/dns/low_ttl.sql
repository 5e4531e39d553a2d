-- question: Which names do workloads ask for again and again, because their answers may not be kept long enough?
-- grain: one row a client workload (or address) and name, those that waited longest first
-- read by: the DNS doctor
-- parameter namespace text null: namespace of the client
-- parameter workload text null: workload of the client
-- parameter least integer 10: fewest answers of a workload for a name that had to be fetched
-- parameter enough integer 30: seconds; a TTL of so many is taken to be long enough
-- parameter a_minute integer 30: fewest of them a minute
-- parameter wait_us integer 3000000: or how long the workload waits for them, a minute
-- parameter rate integer 10: queries a second of one workload for one name of the cluster, which its own servers always answer
with asked as (
    select
        client_namespace,
        client_workload_kind,
        coalesce(client_workload, client_ip) as client_name,
        client_ip,
        asked,
        registered_domain is not null as outside,
        ttl,
        count(*) as resolutions,
        sum(queries) as queries,
        sum(duration_us - wasted_us) as duration_us,
        min(start_time) as first_seen,
        max(start_time) as last_seen
    from resolutions
    where not forwarded and outcome = 'answered' and ttl is not null
    group by
        client_namespace, client_workload_kind, coalesce(client_workload, client_ip), client_ip,
        asked, registered_domain is not null, ttl
),

-- A cache gives an answer with what is left of its TTL: the longest seen is what the zone says, and who is given it came first.
full_ttl as (
    select *, max(ttl) over (partition by asked) as zone_ttl from asked
),

paired as (
    select
        client_namespace,
        client_workload_kind,
        client_name,
        client_ip,
        asked,
        outside,
        zone_ttl,
        sum(resolutions) as resolutions,
        sum(queries) as queries,
        sum(case when ttl = zone_ttl then resolutions else 0 end) as fresh,
        sum(case when ttl = zone_ttl then duration_us else 0 end) as fresh_us,
        min(first_seen) as first_seen,
        max(last_seen) as last_seen
    from full_ttl
    group by all
),

-- What one cache for each pod would have to fetch, at the TTL that there is and at one that is long enough.
spanned as (
    select
        *,
        epoch(last_seen) - epoch(first_seen) as seconds,
        least(fresh, cast(floor((epoch(last_seen) - epoch(first_seen)) / greatest(zone_ttl, 1)) as bigint) + 1) as fetched,
        least(fresh, cast(floor((epoch(last_seen) - epoch(first_seen)) / greatest($enough, 1)) as bigint) + 1) as needed
    from paired
    where zone_ttl < $enough and fresh > 0
),

summed as (
    select
        client_namespace,
        client_workload_kind,
        client_name,
        asked,
        outside,
        zone_ttl as ttl,
        count(*) as pods,
        sum(resolutions) as resolutions,
        sum(queries) as queries,
        sum(fetched) as fetched,
        cast(floor(sum(fetched * fresh_us / fresh)) as bigint) as fetched_us,
        sum(needed) as needed,
        sum(seconds) as pod_seconds,
        sum(resolutions - 1) as intervals,
        greatest(epoch(max(last_seen)) - epoch(min(first_seen)), 1) / 60 as minutes,
        min(first_seen) as first_seen,
        max(last_seen) as last_seen
    from spanned
    group by
        client_namespace, client_workload_kind, client_name, asked, outside, zone_ttl
)

select
    client_namespace,
    client_workload_kind,
    client_name,
    asked,
    outside,
    ttl,
    pods,
    resolutions,
    queries,
    fetched,
    fetched_us,
    needed,
    pod_seconds / intervals as interval_s,
    fetched_us / minutes >= $wait_us as is_slow,
    first_seen,
    last_seen
from summed
-- A longer TTL that saves less than half is not worth asking the owner of a zone for.
where intervals > 0
    and fetched >= $least
    and 2 * needed <= fetched
    and case
        when outside then fetched / minutes >= $a_minute or fetched_us / minutes >= $wait_us
        else queries / minutes >= 60 * $rate
    end
    -- Only here: what others were answered tells the TTL of the zone.
    and ($namespace is null or client_namespace = $namespace)
    and ($workload is null or client_name = $workload)
order by fetched_us desc, fetched desc, client_namespace, client_workload_kind, client_name, asked
