-- question: Who asks which name server, and whom does that ask?
-- grain: one row a client workload (or address) and server pod (or address); of a server that asks others, its pod and the other
-- read by: the page DNS
-- parameter namespace text null: of the client; what servers ask others is there for all
-- parameter workload text null: of the client, or its address where it has none
-- By the columns as they stand, and added up afterwards: expressions over a million rows take as long as all the rest.
-- Without an rcode there was no response.
with told as (
    select
        forwarded,
        client_kind,
        client_namespace,
        client_workload_kind,
        client_workload,
        client_pod,
        client_ip,
        server_kind,
        server_namespace,
        server_workload_kind,
        server_pod,
        server_ip,
        rcode,
        count(*) as transactions,
        count(latency_us) as answered,
        sum(latency_us) as latency_us,
        min(start_time) as first_seen,
        max(start_time) as last_seen
    from dns
    where outcome <> 'unsolicited'
        and (
            forwarded
            or (
                ($namespace is null or client_namespace = $namespace)
                and ($workload is null or coalesce(client_workload, client_ip) = $workload)
            )
        )
    group by
        forwarded,
        client_kind,
        client_namespace,
        client_workload_kind,
        client_workload,
        client_pod,
        client_ip,
        server_kind,
        server_namespace,
        server_workload_kind,
        server_pod,
        server_ip,
        rcode
),

named as (
    select
        *,
        case when forwarded then client_pod end as forwarder,
        case when forwarded or client_workload is null then client_ip end as client_address,
        case when server_pod is null then server_ip end as server_address
    from told
)

select
    forwarded,
    client_kind as src_kind,
    client_namespace as src_namespace,
    case when forwarder is not null then 'Pod' else client_workload_kind end as src_workload_kind,
    case when forwarded then coalesce(forwarder, client_address) else coalesce(client_workload, client_address) end as src_name,
    server_kind as dst_kind,
    server_namespace as dst_namespace,
    case when server_pod is not null then 'Pod' else server_workload_kind end as dst_workload_kind,
    coalesce(server_pod, server_address) as dst_name,
    cast(sum(transactions) as bigint) as transactions,
    cast(sum(case when rcode is null or rcode not in ('NOERROR', 'NXDOMAIN') then transactions else 0 end) as bigint) as failed,
    cast(sum(case when rcode is null then transactions else 0 end) as bigint) as unanswered,
    cast(sum(case when rcode = 'NXDOMAIN' then transactions else 0 end) as bigint) as nxdomain,
    cast(sum(answered) as bigint) as answered,
    cast(coalesce(sum(latency_us), 0) as bigint) as latency_us,
    min(first_seen) as first_seen,
    max(last_seen) as last_seen
from named
group by
    forwarded,
    client_kind,
    client_namespace,
    client_workload_kind,
    client_workload,
    forwarder,
    client_address,
    server_kind,
    server_namespace,
    server_workload_kind,
    server_pod,
    server_address
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
    dst_name,
    first_seen,
    last_seen
