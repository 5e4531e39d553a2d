-- question: What is in the lake, in one line?
-- grain: one row
-- read by: tailrace ask
-- Outside is what it is to the view outward.
with seen as (
    select
        count(*) as connections,
        count(*) filter (where failed) as failed_connections,
        count(*) filter (where is_outside(dst_ip, dst_kind, src_kind)) as outward_connections,
        count(distinct coalesce(dst_domain, dst_ip)) filter (where is_outside(dst_ip, dst_kind, src_kind)) as outside_names,
        count(*) filter (where src_kind is null or dst_kind is null) as connections_of_unknown_ends,
        cast(coalesce(sum(src_packets + dst_packets), 0) as bigint) as packets,
        cast(coalesce(sum(src_bytes + dst_bytes), 0) as bigint) as bytes,
        min(start_time) as from_time,
        max(end_time) as until_time
    from connections
),

ends as (
    select src_namespace as namespace, src_workload_kind as workload_kind, src_workload as workload
    from connections
    where src_workload is not null
    union
    select dst_namespace as namespace, dst_workload_kind as workload_kind, dst_workload as workload
    from connections
    where dst_workload is not null
),

workloads as (
    select count(*) as workloads, count(distinct namespace) as namespaces
    from ends
),

asked as (
    select
        count(*) as dns_transactions,
        count(*) filter (where outcome = 'unanswered') as dns_unanswered,
        count(*) filter (where rcode <> 'NOERROR') as dns_errors
    from dns
),

records as (
    select count(*) as flow_records
    from flows
),

captured as (
    select
        count(distinct node) as nodes,
        cast(coalesce(sum(packets), 0) as bigint) as packets_seen,
        cast(sum(kernel_drops) as bigint) as kernel_drops
    from coverage
),

entries as (
    select unnest(map_entries(discarded)) as entry
    from coverage
),

lost as (
    select cast(coalesce(sum(entry.value), 0) as bigint) as packets_discarded
    from entries
)

select *
from seen
cross join workloads
cross join asked
cross join records
cross join captured
cross join lost
