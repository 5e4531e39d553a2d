-- question: Which names that do not exist are asked upstream again and again?
-- grain: one row a client workload (or address) and name, the most asked upstream first
-- read by: the DNS doctor
-- parameter namespace text null: namespace of the client
-- parameter workload text null: workload of the client
-- parameter least integer 10: fewest answers of a name that no cache gave
-- parameter enough integer 30: seconds; what is asked upstream more rarely is kept for long enough
with missing as (
    select
        client_namespace,
        client_workload_kind,
        coalesce(client_workload, client_ip) as client_name,
        qname,
        qtype,
        registered_domain,
        rcode,
        negative_ttl,
        answered_from,
        count(*) as transactions,
        sum(attempts) as queries,
        sum(latency_us) as latency_us,
        min(start_time) as first_seen,
        max(start_time) as last_seen
    from dns
    where outcome = 'answered' and not forwarded and coalesce(answered_from <> 'zone', true)
        -- AAAA and HTTPS are asked for beside A: a name without them is nothing missing.
        and (rcode = 'NXDOMAIN' or (rcode = 'NOERROR' and negative_ttl is not null and qtype not in ('AAAA', 'HTTPS')))
    group by
        client_namespace, client_workload_kind, coalesce(client_workload, client_ip), qname, qtype,
        registered_domain, rcode, negative_ttl, answered_from
),

-- A cache gives an answer with what is left of its TTL: the longest seen is what the zone says, and who is given it came first.
paced as (
    select
        *,
        max(negative_ttl) over (partition by qname, qtype) as zone_ttl,
        (epoch(max(last_seen) over (partition by qname, qtype)) - epoch(min(first_seen) over (partition by qname, qtype)))
        / greatest(sum(transactions) over (partition by qname, qtype) - 1, 1) as interval_s
    from missing
),

-- Where it was not seen what the server asks: an answer that no cache may keep, or that is asked for when none has it any more.
-- A name of the cluster is answered by its own servers.
judged as (
    select
        *,
        answered_from = 'upstream' or (
            answered_from is null and registered_domain is not null
            and (negative_ttl is null or (negative_ttl = zone_ttl and interval_s > zone_ttl))
        ) as is_uncached
    from paced
),

summed as (
    select
        client_namespace,
        client_workload_kind,
        client_name,
        qname,
        registered_domain,
        min(qtype) as qtype,
        min(rcode) as rcode,
        max(zone_ttl) as negative_ttl,
        sum(transactions) as transactions,
        sum(queries) as queries,
        sum(case when is_uncached then transactions else 0 end) as uncached,
        sum(case when is_uncached then latency_us else 0 end) as uncached_us,
        sum(case when answered_from = 'cache' then transactions else 0 end) as from_cache,
        count(distinct qtype) as qtypes,
        min(first_seen) as first_seen,
        max(last_seen) as last_seen
    from judged
    group by client_namespace, client_workload_kind, client_name, qname, registered_domain
),

spanned as (
    select
        *,
        qtypes * (cast(floor((epoch(last_seen) - epoch(first_seen)) / greatest($enough, 1)) as bigint) + 1) as needed
    from summed
)

select
    client_namespace,
    client_workload_kind,
    client_name,
    qname,
    registered_domain,
    qtype,
    rcode,
    negative_ttl,
    transactions,
    queries,
    uncached,
    uncached_us,
    from_cache,
    needed,
    first_seen,
    last_seen
from spanned
where
    uncached >= $least and needed < uncached
    -- Only here: who else asks for a name tells how long an answer is kept.
    and ($namespace is null or client_namespace = $namespace)
    and ($workload is null or client_name = $workload)
order by uncached desc, uncached_us desc, client_namespace, client_workload_kind, client_name, qname
