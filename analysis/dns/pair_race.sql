-- question: Where was one of the two queries, A and AAAA, lost that a resolver sends at once from one socket?
-- grain: one row a client workload (or address), the most lost first
-- read by: the DNS doctor, tailrace ask
-- parameter namespace text null: namespace of the client
-- parameter workload text null: workload of the client
-- parameter least integer 2: fewest pairs that lost one; a single lost packet is what UDP does
-- parameter stall_us integer 300000: from here a resolver has waited for its timeout (none is shorter)
-- Either query is seen to be repeated, or its other half comes a timeout later, as its first copy was lost before anybody saw it.
with repeated as (
    select client_ip, client_port, qname, qtype, start_time, latency_us, outcome
    from dns
    where
        (outcome = 'unanswered' or (outcome = 'answered' and attempts > 1))
        and qtype in ('A', 'AAAA')
        and transport = 'udp'
        and not forwarded
        and ($namespace is null or client_namespace = $namespace)
        and ($workload is null or client_workload = $workload)
),

socket as (
    select distinct client_ip, client_port, qname from repeated
),

half as (
    select
        dns.client_namespace,
        dns.client_workload_kind,
        coalesce(dns.client_workload, dns.client_ip) as client_name,
        dns.client_node,
        dns.client_ip,
        dns.client_port,
        dns.qname,
        dns.qtype,
        dns.start_time,
        dns.latency_us,
        coalesce(dns.latency_us >= $stall_us, true) as is_late
    from dns
    inner join socket
        on socket.client_ip = dns.client_ip and socket.client_port = dns.client_port and socket.qname = dns.qname
    where dns.outcome <> 'unsolicited' and dns.qtype in ('A', 'AAAA') and dns.transport = 'udp'
),

pair as (
    select
        half.client_namespace,
        half.client_workload_kind,
        half.client_name,
        half.client_node,
        half.client_ip,
        half.client_port,
        half.qname,
        half.start_time,
        half.is_late,
        coalesce(other.is_late, false) as is_other_late,
        other.qname is not null as is_paired,
        cast(round((epoch(other.start_time) - epoch(half.start_time)) * 1000000) as bigint) as apart_us,
        half.latency_us,
        other.latency_us as other_latency_us
    from half
    inner join repeated
        on repeated.client_ip = half.client_ip
        and repeated.client_port = half.client_port
        and repeated.qname = half.qname
        and repeated.qtype = half.qtype
        and repeated.start_time = half.start_time
    left join half as other
        on other.client_ip = half.client_ip
        and other.client_port = half.client_port
        and other.qname = half.qname
        and other.qtype <> half.qtype
        and other.start_time between half.start_time - interval 15 second and half.start_time + interval 15 second
),

judged as (
    select
        *,
        is_paired and (
            (is_late and not is_other_late and apart_us < $stall_us)
            or (not is_late and not is_other_late and apart_us >= $stall_us)
        ) as is_lost_of_pair,
        case when is_late then latency_us else apart_us + other_latency_us end as stall_us
    from pair
),

lost as (
    select
        client_namespace,
        client_workload_kind,
        client_name,
        count(*) filter (where is_lost_of_pair) as lost_of_pair,
        count(*) filter (where is_late and not is_lost_of_pair) as lost_otherwise,
        cast(coalesce(sum(stall_us) filter (where is_lost_of_pair), 0) as bigint) as waited_us,
        percentile_cont(0.50) within group (order by case when is_lost_of_pair then stall_us end) as p50_stall_us,
        max(stall_us) filter (where is_lost_of_pair) as longest_us,
        count(distinct case when is_lost_of_pair then client_node end) as nodes,
        min(case when is_lost_of_pair then client_node end) as node,
        count(distinct case when is_lost_of_pair then qname end) as names,
        min(case when is_lost_of_pair then qname end) as example,
        min(start_time) filter (where is_lost_of_pair) as first_seen,
        max(start_time) filter (where is_lost_of_pair) as last_seen
    from judged
    group by client_namespace, client_workload_kind, client_name
    having count(*) filter (where is_lost_of_pair) >= $least
),

asked as (
    select
        client_namespace,
        client_workload_kind,
        coalesce(client_workload, client_ip) as client_name,
        count(*) filter (where qtypes like 'A,AAAA%') as pairs,
        count(*) filter (where qtypes not like 'A,AAAA%') as singles
    from resolutions
    where not forwarded
    group by client_namespace, client_workload_kind, coalesce(client_workload, client_ip)
)

select
    lost.*,
    coalesce(asked.pairs, 0) as pairs,
    coalesce(asked.singles, 0) as singles
from lost
left join asked
    on coalesce(asked.client_namespace, '') = coalesce(lost.client_namespace, '')
    and coalesce(asked.client_workload_kind, '') = coalesce(lost.client_workload_kind, '')
    and asked.client_name = lost.client_name
order by lost.lost_of_pair desc, lost.waited_us desc, lost.client_namespace, lost.client_workload_kind, lost.client_name
