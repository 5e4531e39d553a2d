-- question: Which zones fail with an error, for whom, and what do the upstreams say that are asked for them?
-- grain: one row a zone (where none is registered: the last two labels) and upstream asked for it (NULL: none seen), the worst first
-- read by: the DNS doctor, tailrace ask
-- parameter namespace text null: namespace of the client
-- parameter workload text null: workload of the client
-- parameter least integer 2: fewest failures of a zone; the first may be a server that just started
with asked as (
    select
        forwarded,
        coalesce(client_namespace || '/', '') || coalesce(client_workload, client_ip) as client,
        coalesce(server_namespace || '/' || coalesce(server_workload, server_pod), server_ip) as server,
        server_ip,
        coalesce(registered_domain, regexp_extract(qname, '([^.]+[.])?[^.]+$', 0)) as zone,
        qname,
        qtype,
        case when outcome = 'unanswered' then 'unanswered' else rcode end as ended,
        coalesce(rcode not in ('NOERROR', 'NXDOMAIN'), false) as failed,
        edns_error,
        attempts,
        latency_us,
        start_time
    from dns
    where
        outcome <> 'unsolicited'
        and (
            forwarded
            or (($namespace is null or client_namespace = $namespace) and ($workload is null or client_workload = $workload))
        )
),

client_side as (
    select
        zone,
        count(*) as transactions,
        count(*) filter (where failed) as failures,
        count(*) filter (where ended = 'SERVFAIL') as servfail,
        count(*) filter (where ended = 'REFUSED') as refused,
        count(*) filter (where ended = 'NOTIMP') as notimp,
        count(*) filter (where ended = 'FORMERR') as formerr,
        count(*) filter (where failed and qtype in ('A', 'AAAA')) as address_failures,
        cast(coalesce(sum(attempts) filter (where failed), 0) as bigint) as queries,
        cast(coalesce(sum(latency_us) filter (where failed), 0) as bigint) as waited_us,
        max(latency_us) filter (where failed) as longest_us,
        count(distinct case when failed then client end) as clients,
        min(case when failed then client end) as client,
        count(distinct case when failed then server end) as servers,
        min(case when failed then server end) as server,
        count(distinct case when failed then qname end) as names,
        min(case when failed then qname end) as example,
        reverse(min(case when failed then reverse(qname) end)) as first_from_end,
        reverse(max(case when failed then reverse(qname) end)) as last_from_end,
        min(case when failed then edns_error end) as edns_error,
        min(start_time) filter (where failed) as first_seen,
        max(start_time) filter (where failed) as last_seen
    from asked
    where not forwarded and zone is not null
    group by zone
    having count(*) filter (where failed) >= $least
),

upstream_side as (
    select
        zone,
        server_ip as upstream,
        count(*) as upstream_transactions,
        count(*) filter (where ended = 'unanswered') as upstream_unanswered,
        count(*) filter (where ended = 'REFUSED') as upstream_refused,
        count(*) filter (where failed and ended <> 'REFUSED') as upstream_failed,
        min(case when failed then edns_error end) as upstream_edns_error
    from asked
    where forwarded and zone is not null
    group by zone, server_ip
)

select
    client_side.*,
    upstream_side.upstream,
    upstream_side.upstream_transactions,
    upstream_side.upstream_unanswered,
    upstream_side.upstream_refused,
    upstream_side.upstream_failed,
    upstream_side.upstream_edns_error
from client_side
left join upstream_side on upstream_side.zone = client_side.zone
order by
    client_side.failures desc, client_side.zone,
    upstream_side.upstream_unanswered + upstream_side.upstream_refused + upstream_side.upstream_failed desc nulls last,
    upstream_side.upstream
