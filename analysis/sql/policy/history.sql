-- question: Which connections does a policy have to decide on?
-- grain: one row for each src, dst (pod by pod, address by address outside), protocol and port of the pod
-- read by: tailrace policy
-- guessed: TCP connections out of the middle, of which nothing tells who opened them.
-- dst_domain: not if only others than src's workload were told it; a rule by name would let src ask for what it never did.
-- unanswered: connections in which dst sent nothing, failed or not.
-- parameter tick integer 3600: seconds of one tick; ticks has that in which it began for each connection
with named as (
    select
        cluster,
        case when src_pod is not null then 'pod' else src_kind end as src_kind,
        src_namespace,
        src_pod,
        src_workload_kind,
        src_workload,
        src_ip as src_address,
        case when dst_pod is not null then 'pod' else dst_kind end as dst_kind,
        dst_namespace,
        dst_pod,
        dst_workload_kind,
        dst_workload,
        coalesce(backend_ip, dst_ip) as dst_address,
        case when domain_method = 'dns_cluster' then null else dst_domain end as dst_domain,
        protocol,
        coalesce(backend_port, dst_port) as port,
        failed,
        ambiguous,
        guessed,
        answered,
        bytes,
        start_time,
        end_time,
        epoch_us(start_time) // (cast(1000000 as bigint) * $tick) as tick
    from counted
)

select
    cluster,
    src_kind, src_namespace, src_pod, src_workload_kind, src_workload, src_address,
    dst_kind, dst_namespace, dst_pod, dst_workload_kind, dst_workload, dst_address, dst_domain,
    protocol, port,
    count(*) as connections,
    count(*) filter (where failed) as failed,
    count(*) filter (where ambiguous) as ambiguous,
    count(*) filter (where guessed) as guessed,
    count(*) filter (where not answered) as unanswered,
    cast(sum(bytes) as bigint) as bytes,
    min(start_time) as first_seen,
    max(end_time) as last_seen,
    list_sort(array_agg(tick)) as ticks
from named
group by all
order by
    cluster,
    src_namespace, src_workload_kind, src_workload, src_pod, src_kind, src_address,
    dst_namespace, dst_workload_kind, dst_workload, dst_pod, dst_kind, dst_domain, dst_address,
    protocol, port
