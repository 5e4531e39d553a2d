-- question: Which workload talks to which name outside the cluster?
-- grain: one row a src workload, outside name (or address, where no name is known), protocol and port, most bytes sent first
-- read by: tailrace ask
-- parameter namespace text null: namespace of src
-- parameter domain glob null: outside name or address
-- confidence: the least of any connection's.
-- Outside is what Kubernetes objects call external; where the lake has none of either end, every address that is not private.
with ends as (
    select
        cluster,
        src_namespace,
        src_workload_kind,
        coalesce(src_workload, src_ip) as src_name,
        coalesce(dst_domain, dst_ip) as dst_name,
        dst_domain is not null as name_known,
        domain_method,
        case domain_confidence when 'high' then 1 when 'medium' then 2 when 'low' then 3 end as doubt,
        protocol,
        dst_port as port,
        dst_ip,
        failed,
        src_bytes,
        dst_bytes,
        start_time,
        end_time
    from outward
    where $namespace is null or src_namespace = $namespace
)

select
    cluster,
    src_namespace,
    src_workload_kind,
    src_name,
    dst_name,
    name_known,
    list_sort(array_agg(distinct domain_method) filter (where domain_method is not null)) as domain_methods,
    case max(doubt) when 1 then 'high' when 2 then 'medium' when 3 then 'low' end as confidence,
    protocol,
    port,
    count(distinct dst_ip) as addresses,
    count(*) as connections,
    count(*) filter (where failed) as failed,
    cast(sum(src_bytes) as bigint) as src_bytes,
    cast(sum(dst_bytes) as bigint) as dst_bytes,
    min(start_time) as first_seen,
    max(end_time) as last_seen
from ends
where $domain is null or lower(dst_name) like lower($domain) escape '!'
group by cluster, src_namespace, src_workload_kind, src_name, dst_name, name_known, protocol, port
order by src_bytes desc, cluster, src_namespace, src_workload_kind, src_name, dst_name, name_known, protocol, port
