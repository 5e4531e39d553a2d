-- question: Which names fail, or are never answered?
-- grain: one row a name and type, the most failures first
-- read by: tailrace ask
-- parameter namespace text null: namespace of the client
-- parameter least integer 1: fewest failures of a name
with counted as (
    select
        qname,
        qtype,
        count(*) as transactions,
        count(*) filter (where outcome = 'unanswered' or rcode <> 'NOERROR') as failed,
        count(*) filter (where outcome = 'unanswered') as unanswered,
        count(*) filter (where rcode = 'NXDOMAIN') as nxdomain,
        count(*) filter (where rcode = 'SERVFAIL') as servfail,
        count(*) filter (where rcode not in ('NOERROR', 'NXDOMAIN', 'SERVFAIL')) as other_errors,
        count(distinct coalesce(client_namespace || '/' || client_workload, client_ip)) as clients,
        min(start_time) as first_seen,
        max(start_time) as last_seen
    from dns
    where $namespace is null or client_namespace = $namespace
    group by all
)

select
    qname, qtype, transactions, failed, failed / cast(transactions as double) as failed_share,
    unanswered, nxdomain, servfail, other_errors, clients, first_seen, last_seen
from counted
where failed >= $least
order by failed desc, qname, qtype
