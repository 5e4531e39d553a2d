-- question: Which resolution of a name was a client's at a time?
-- grain: one row a resolution, the last that began by then, then those that began later
-- read by: tailrace dns explain
-- parameter name text required: name that was given to the resolver, or that was asked for
-- parameter spelling text null: another spelling of it
-- parameter namespace text null: namespace of the client
-- parameter client text null: its workload or pod
-- parameter address text null: its address, instead of namespace and client
-- parameter at time required: when
-- parameter asked_for flag false: the name is one that a query asked for, with a search suffix
with queried as (
    select distinct resolution_id
    from dns
    where $asked_for and qname in ($name, $spelling)
)

select
    start_time,
    end_time,
    cluster,
    resolution_id,
    client_ip,
    client_kind,
    client_namespace,
    client_workload_kind,
    client_workload,
    client_pod,
    client_node,
    asked,
    registered_domain,
    qtypes,
    suffixes,
    answered_suffix,
    outcome,
    rcode,
    duration_us,
    transactions,
    queries,
    wasted_queries,
    wasted_us,
    retries,
    unanswered,
    lost_of_pair,
    truncated,
    over_tcp,
    addresses,
    ttl,
    connections,
    failed_connections,
    service_namespace,
    service
from resolutions
where
    (
        (not $asked_for and asked in ($name, $spelling))
        or ($asked_for and resolution_id in (select resolution_id from queried))
    )
    and case
        when $address is not null then client_ip = $address
        else client_namespace is not distinct from $namespace and $client in (client_workload, client_pod)
    end
order by
    start_time > $at,
    case when start_time > $at then start_time end,
    start_time desc,
    resolution_id
