-- question: Which names fail, stay unanswered, or take longest?
-- grain: one row for each name and type
-- read by: the page DNS
-- parameter namespace text null: of the client
-- parameter workload text null: of the client, or its address where it has none
-- parameter pod text null: of the client
-- parameter server text null: the server as namespace/pod, or its address where it is no pod
-- parameter forwarded flag false: what name servers ask of others, instead of what they are asked
with chosen as (
    select *
    from dns
    where outcome <> 'unsolicited' and forwarded = $forwarded
        and ($namespace is null or client_namespace = $namespace)
        and ($workload is null or coalesce(client_workload, client_ip) = $workload)
        and ($pod is null or client_pod = $pod)
        and ($server is null or coalesce(server_namespace || '/' || server_pod, server_ip) = $server)
)

select
    qname,
    qtype,
    count(*) as transactions,
    cast(sum(case when rcode = 'NXDOMAIN' then 1 else 0 end) as bigint) as nxdomain,
    cast(sum(case when rcode not in ('NOERROR', 'NXDOMAIN') then 1 else 0 end) as bigint) as errors,
    cast(sum(case when outcome = 'unanswered' then 1 else 0 end) as bigint) as unanswered,
    count(distinct coalesce(client_workload, client_ip)) as clients,
    percentile_cont(0.5) within group (order by latency_us) as p50_us,
    percentile_cont(0.95) within group (order by latency_us) as p95_us
from chosen
group by qname, qtype
order by unanswered + errors + nxdomain desc, p95_us desc nulls last, qname, qtype
