-- question: Which workload talks to which registered domain outside the cluster, how much, and since when?
-- grain: one row a src workload and registered domain (name, or address, where none is known), most bytes sent first
-- read by: tailrace ask
-- parameter namespace text null: namespace of src
-- parameter domain glob null: registered domain, name or address
-- parameter few integer 5: how many names and ports are shown, those with most bytes; name_count and port_count have all
-- confidence: the least of any connection's.
-- Outside is what Kubernetes objects call external; where the lake has none of either end, every address that is not private.
with ends as (
    select
        cluster,
        src_namespace,
        src_workload_kind,
        coalesce(src_workload, src_ip) as src_name,
        coalesce(dst_registered_domain, dst_domain, dst_ip) as domain,
        case
            when dst_registered_domain is not null then 'registered'
            when dst_domain is not null then 'name'
            else 'address'
        end as domain_is,
        dst_domain as name,
        dst_port as port,
        dst_ip,
        case domain_confidence when 'high' then 1 when 'medium' then 2 when 'low' then 3 end as doubt,
        failed,
        src_bytes,
        dst_bytes,
        start_time,
        end_time
    from outward
    where $namespace is null or src_namespace = $namespace
),

summed as (
    select
        cluster, src_namespace, src_workload_kind, src_name, domain, domain_is, name, port, dst_ip,
        max(doubt) as doubt,
        count(*) as connections,
        count(*) filter (where failed) as failed,
        sum(src_bytes) as src_bytes,
        sum(dst_bytes) as dst_bytes,
        min(start_time) as first_seen,
        max(end_time) as last_seen
    from ends
    where
        $domain is null
        or lower(domain) like lower($domain) escape '!'
        or coalesce(lower(name) like lower($domain) escape '!', false)
    group by cluster, src_namespace, src_workload_kind, src_name, domain, domain_is, name, port, dst_ip
),

weighed as (
    select
        *,
        sum(src_bytes + dst_bytes) over (
            partition by cluster, src_namespace, src_workload_kind, src_name, domain, domain_is, name
        ) as name_bytes,
        sum(src_bytes + dst_bytes) over (
            partition by cluster, src_namespace, src_workload_kind, src_name, domain, domain_is, port
        ) as port_bytes
    from summed
),

placed as (
    select
        *,
        dense_rank() over (
            partition by cluster, src_namespace, src_workload_kind, src_name, domain, domain_is
            order by name_bytes desc, name
        ) as name_place,
        dense_rank() over (
            partition by cluster, src_namespace, src_workload_kind, src_name, domain, domain_is
            order by case when port is null then 1 else 0 end, port_bytes desc, port
        ) as port_place
    from weighed
)

select
    cluster,
    src_namespace,
    src_workload_kind,
    src_name,
    domain,
    domain_is,
    case max(doubt) when 1 then 'high' when 2 then 'medium' when 3 then 'low' end as confidence,
    count(distinct name) as name_count,
    list_sort(array_agg(distinct name) filter (where name is not null and name_place <= $few)) as names,
    count(distinct port) as port_count,
    list_sort(array_agg(distinct port) filter (where port is not null and port_place <= $few)) as ports,
    count(distinct dst_ip) as addresses,
    cast(sum(connections) as bigint) as connections,
    cast(sum(failed) as bigint) as failed,
    cast(sum(src_bytes) as bigint) as src_bytes,
    cast(sum(dst_bytes) as bigint) as dst_bytes,
    min(first_seen) as first_seen,
    max(last_seen) as last_seen
from placed
group by cluster, src_namespace, src_workload_kind, src_name, domain, domain_is
order by src_bytes desc, cluster, src_namespace, src_workload_kind, src_name, domain, domain_is
