-- question: What did a resolver call ask, of whom, and what came back?
-- grain: one row a transaction of the resolution, in the order in which they were asked
-- read by: tailrace dns explain
-- parameter resolution text required: resolution_id
select
    start_time,
    qname,
    qname_raw,
    qtype,
    rcode,
    outcome,
    latency_us,
    attempts,
    answered_from,
    upstream_us,
    transport,
    tc,
    answers,
    server_ip,
    server_port,
    server_kind,
    server_namespace,
    server_workload,
    server_pod,
    server_node,
    service_namespace,
    service,
    edns_error,
    response_time,
    transaction_id,
    retry_of
from dns
where resolution_id = $resolution
order by start_time, qname, qtype, transaction_id
