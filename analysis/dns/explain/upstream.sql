-- question: Whom did the servers of a resolver call ask meanwhile, for the same names?
-- grain: one row a step of the resolution and a query of its server for the same name, in order of time
-- read by: tailrace dns explain
-- parameter resolution text required: resolution_id
-- parameter patience integer 10: seconds for which a step without an answer is taken to wait
with step as (
    select
        transaction_id,
        cluster,
        qname,
        qtype,
        server_ip,
        server_namespace,
        server_pod,
        start_time,
        coalesce(epoch(response_time), epoch(start_time) + $patience) as until_s
    from dns
    where resolution_id = $resolution
),

leg as (
    select *
    from dns
    where forwarded and outcome <> 'unsolicited'
)

select
    step.transaction_id as step,
    leg.start_time,
    leg.qname,
    leg.qtype,
    leg.server_ip,
    leg.server_port,
    leg.server_namespace,
    leg.server_workload,
    leg.server_pod,
    leg.transport,
    leg.rcode,
    leg.outcome,
    leg.latency_us,
    leg.attempts
from step
inner join leg on leg.qname = step.qname and leg.qtype = step.qtype
where
    leg.cluster is not distinct from step.cluster
    and (leg.client_ip = step.server_ip or (leg.client_namespace = step.server_namespace and leg.client_pod = step.server_pod))
    and leg.start_time >= step.start_time
    and epoch(leg.start_time) <= step.until_s
order by step.start_time, step.transaction_id, leg.start_time, leg.transaction_id
