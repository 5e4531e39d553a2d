-- question: Which names did a workload ask for?
-- grain: one row for each name and type
-- read by: the page Service graph
-- parameter namespace text null: of the client
-- parameter name text required: workload of the client, or its address where that is unknown
select
    qname,
    qtype,
    count(*) as transactions,
    cast(sum(case when rcode <> 'NOERROR' then 1 else 0 end) as bigint) as failed,
    cast(sum(case when outcome = 'unanswered' then 1 else 0 end) as bigint) as unanswered,
    percentile_cont(0.5) within group (order by latency_us) as p50_us,
    max(start_time) as last_time
from dns
where coalesce(client_workload, client_ip) = $name
    and client_namespace is not distinct from $namespace
    and outcome <> 'unsolicited'
group by qname, qtype
order by transactions desc, qname, qtype
