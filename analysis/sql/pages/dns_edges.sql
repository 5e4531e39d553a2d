-- question: Who asks which name server, and whom does that ask?
-- grain: one row a client workload (or address) and server pod (or address); of a server that asks others, its pod and the other
-- read by: the page DNS
-- parameter namespace text null: of the client; what servers ask others is there for all
-- parameter workload text null: of the client, or its address where it has none
with chosen as (
    select
        forwarded,
        client_kind as src_kind,
        client_namespace as src_namespace,
        case when forwarded and client_pod is not null then 'Pod' else client_workload_kind end as src_workload_kind,
        case when forwarded then coalesce(client_pod, client_ip) else coalesce(client_workload, client_ip) end as src_name,
        server_kind as dst_kind,
        server_namespace as dst_namespace,
        case when server_pod is not null then 'Pod' else server_workload_kind end as dst_workload_kind,
        coalesce(server_pod, server_ip) as dst_name,
        outcome,
        rcode,
        latency_us,
        start_time
    from dns
    where outcome <> 'unsolicited'
        and (
            forwarded
            or (
                ($namespace is null or client_namespace = $namespace)
                and ($workload is null or coalesce(client_workload, client_ip) = $workload)
            )
        )
)

select
    forwarded,
    src_kind,
    src_namespace,
    src_workload_kind,
    src_name,
    dst_kind,
    dst_namespace,
    dst_workload_kind,
    dst_name,
    count(*) as transactions,
    cast(sum(case when outcome = 'unanswered' or rcode not in ('NOERROR', 'NXDOMAIN') then 1 else 0 end) as bigint) as failed,
    cast(sum(case when outcome = 'unanswered' then 1 else 0 end) as bigint) as unanswered,
    cast(sum(case when rcode = 'NXDOMAIN' then 1 else 0 end) as bigint) as nxdomain,
    count(latency_us) as answered,
    cast(coalesce(sum(latency_us), 0) as bigint) as latency_us,
    min(start_time) as first_seen,
    max(start_time) as last_seen
from chosen
group by
    forwarded,
    src_kind,
    src_namespace,
    src_workload_kind,
    src_name,
    dst_kind,
    dst_namespace,
    dst_workload_kind,
    dst_name
order by
    transactions desc,
    forwarded,
    src_kind,
    src_namespace,
    src_workload_kind,
    src_name,
    dst_kind,
    dst_namespace,
    dst_workload_kind,
    dst_name
