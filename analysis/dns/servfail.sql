-- question: Which zones fail with an error, for whom, and what do the upstreams say that are asked for them?
-- grain: one row a zone (where none is registered: the last two labels) and upstream asked for it (NULL: none seen)
-- read by: the DNS doctor, tailrace ask
-- parameter namespace text null: namespace of the client
-- parameter workload text null: workload of the client
-- parameter least integer 5: fewest failures of a zone; one call makes up to four, for A and AAAA, tried twice
with failed as (
    select
        coalesce(registered_domain, regexp_extract(qname, '([^.]+[.])?[^.]+$', 0)) as zone,
        max(registered_domain) as registered_domain,
        count(*) as failures,
        count(*) filter (where rcode = 'SERVFAIL') as servfail,
        count(*) filter (where rcode = 'REFUSED') as refused,
        count(*) filter (where rcode = 'NOTIMP') as notimp,
        count(*) filter (where rcode = 'FORMERR') as formerr,
        count(*) filter (where qtype in ('A', 'AAAA')) as address_failures,
        cast(sum(attempts) as bigint) as queries,
        cast(coalesce(sum(latency_us), 0) as bigint) as waited_us,
        max(latency_us) as longest_us,
        count(distinct coalesce(client_namespace || '/', '') || coalesce(client_workload, client_ip)) as clients,
        min(coalesce(client_namespace || '/', '') || coalesce(client_workload, client_ip)) as client,
        min(coalesce(server_namespace || '/' || coalesce(server_workload, server_pod), server_ip)) as server,
        count(distinct qname) as names,
        min(qname) as example,
        reverse(min(reverse(qname))) as first_from_end,
        reverse(max(reverse(qname))) as last_from_end,
        min(edns_error) as edns_error,
        min(start_time) as first_seen,
        max(start_time) as last_seen
    from dns
    where
        rcode not in ('NOERROR', 'NXDOMAIN')
        and qname is not null
        and outcome <> 'unsolicited'
        and not forwarded
        and ($namespace is null or client_namespace = $namespace)
        and ($workload is null or client_workload = $workload)
    group by coalesce(registered_domain, regexp_extract(qname, '([^.]+[.])?[^.]+$', 0))
    having count(*) >= $least
),

-- By clients, and by the servers on their behalf: of whom, and with what success.
asked as (
    select
        coalesce(registered_domain, regexp_extract(qname, '([^.]+[.])?[^.]+$', 0)) as zone,
        forwarded,
        case when forwarded then server_ip end as upstream,
        count(*) as transactions,
        count(*) filter (where outcome = 'unanswered') as unanswered,
        count(*) filter (where rcode = 'REFUSED') as refused,
        count(*) filter (where rcode not in ('NOERROR', 'NXDOMAIN', 'REFUSED')) as failed,
        min(edns_error) as edns_error
    from dns
    where
        coalesce(registered_domain, regexp_extract(qname, '([^.]+[.])?[^.]+$', 0)) in (select zone from failed)
        and outcome <> 'unsolicited'
        and (
            forwarded
            or (
                ($namespace is null or client_namespace = $namespace)
                and ($workload is null or client_workload = $workload)
            )
        )
    group by
        coalesce(registered_domain, regexp_extract(qname, '([^.]+[.])?[^.]+$', 0)),
        forwarded,
        case when forwarded then server_ip end
)

select
    failed.*,
    asked.transactions,
    upstream.upstream,
    upstream.transactions as upstream_transactions,
    upstream.unanswered as upstream_unanswered,
    upstream.refused as upstream_refused,
    upstream.failed as upstream_failed,
    upstream.edns_error as upstream_edns_error
from failed
inner join asked on asked.zone = failed.zone and not asked.forwarded
left join asked as upstream on upstream.zone = failed.zone and upstream.forwarded
order by
    failed.failures desc, failed.zone,
    upstream.unanswered + upstream.refused + upstream.failed desc nulls last,
    upstream.upstream
