-- Who asks for others, and how long a server waited for them before it answered.
-- In: completed, transaction_sighting, transactions.
-- Out, in the order of the rows: counted, forwarded, answered_from, upstream_us.
-- A client that answered others is a name server; what it asks for the same name meanwhile is what it waits for. How long is the
-- difference of two running sums, so that a name asked a million times costs no more than two looks each.
with server as (
    select distinct cluster, server as ip from transactions where outcome = 'answered'
),

forwarder as (
    select distinct transactions.cluster, transactions.client_ip as ip
    from transactions
    inner join server on server.cluster = transactions.cluster and server.ip = transactions.client_ip
),

leg as (
    select
        transactions.cluster, transactions.client_ip as server, transactions.qname, transactions.qtype, transactions.start_us,
        count(*) over earlier as legs,
        sum(transactions.end_us - transactions.start_us) over earlier as waited_us
    from transactions
    inner join forwarder on forwarder.cluster = transactions.cluster and forwarder.ip = transactions.client_ip
    where transactions.outcome <> 'unsolicited' and transactions.qname is not null
    window earlier as (
        partition by transactions.cluster, transactions.client_ip, transactions.qname, transactions.qtype
        order by transactions.start_us, transactions.row
        rows unbounded preceding
    )
),

summed as (
    select cluster, server, qname, qtype, start_us, max(legs) as legs, max(waited_us) as waited_us
    from leg
    group by cluster, server, qname, qtype, start_us
),

waited as (
    select
        transactions.transaction_id,
        transactions.aa,
        transactions.outcome,
        transactions.end_us - transactions.start_us as whole_us,
        coalesce(after.legs, 0) - coalesce(before.legs, 0) as legs,
        coalesce(after.waited_us, 0) - coalesce(before.waited_us, 0) as waited_us,
        forwarder.ip is not null as is_forwarder
    from transactions
    left join forwarder on forwarder.cluster = transactions.cluster and forwarder.ip = transactions.server
    asof left join summed as before
        on before.cluster = transactions.cluster and before.server = transactions.server
        and before.qname = transactions.qname and before.qtype = transactions.qtype and transactions.start_us > before.start_us
    asof left join summed as after
        on after.cluster = transactions.cluster and after.server = transactions.server
        and after.qname = transactions.qname and after.qtype = transactions.qtype and transactions.end_us >= after.start_us
)

select
    case when sighting.decided then sighting.place = 1 end as counted,
    asker.ip is not null as forwarded,
    case
        when waited.outcome <> 'answered' then null
        when waited.legs > 0 then 'upstream'
        when waited.aa then 'zone'
        when waited.is_forwarder then 'cache'
    end as answered_from,
    case when waited.legs > 0 then cast(least(waited.waited_us, waited.whole_us) as bigint) end as upstream_us
from transaction_sighting as sighting
inner join waited on waited.transaction_id = sighting.transaction_id
inner join completed on completed.row = sighting.row
left join forwarder as asker on asker.cluster = completed.cluster and asker.ip = completed.client_ip
order by sighting.row
