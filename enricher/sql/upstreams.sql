-- What a server asked others to answer a client, and how long it waited for them.
-- In: transaction_sighting, transactions.
-- Out, in the order of the rows: counted, forwarded, answered_from, upstream_us.
-- A leg is what a server asks for the name and type that it is being asked for at that time, by its own node's clock: whatever
-- else the holder of its address asks for is its own affair. How long legs took is the difference of two running sums, so that a
-- name asked a million times costs no more than two looks each.
with held as (
    select
        cluster, server, qname, qtype, served_us,
        max(until_us) over (
            partition by cluster, server, qname, qtype order by served_us, row rows unbounded preceding
        ) as until_us
    from transactions
    where qname is not null
),

held_once as (
    select cluster, server, qname, qtype, served_us, max(until_us) as until_us
    from held
    group by cluster, server, qname, qtype, served_us
),

leg as (
    select transactions.transaction_id, transactions.cluster, transactions.client as server, transactions.qname,
        transactions.qtype, transactions.start_us, transactions.end_us, transactions.row
    from transactions
    asof join held_once
        on held_once.cluster = transactions.cluster and held_once.server = transactions.client
        and held_once.qname = transactions.qname and held_once.qtype = transactions.qtype
        and transactions.start_us >= held_once.served_us
    where transactions.outcome <> 'unsolicited' and transactions.start_us <= held_once.until_us
),

summed as (
    select
        *,
        count(*) over earlier as legs,
        sum(end_us - start_us) over earlier as waited_us
    from leg
    window earlier as (partition by cluster, server, qname, qtype order by start_us, row rows unbounded preceding)
),

summed_once as (
    select cluster, server, qname, qtype, start_us, max(legs) as legs, max(waited_us) as waited_us
    from summed
    group by cluster, server, qname, qtype, start_us
),

forwarder as (
    select distinct cluster, server from leg
),

waited as (
    select
        transactions.transaction_id,
        transactions.aa,
        transactions.outcome,
        transactions.end_us - transactions.start_us as whole_us,
        coalesce(after.legs, 0) - coalesce(before.legs, 0) as legs,
        coalesce(after.waited_us, 0) - coalesce(before.waited_us, 0) as waited_us,
        forwarder.server is not null as is_forwarder
    from transactions
    left join forwarder on forwarder.cluster = transactions.cluster and forwarder.server = transactions.server
    asof left join summed_once as before
        on before.cluster = transactions.cluster and before.server = transactions.server
        and before.qname = transactions.qname and before.qtype = transactions.qtype
        and transactions.served_us > before.start_us
    asof left join summed_once as after
        on after.cluster = transactions.cluster and after.server = transactions.server
        and after.qname = transactions.qname and after.qtype = transactions.qtype
        and transactions.until_us >= after.start_us
)

select
    case when sighting.decided then sighting.place = 1 end as counted,
    leg.transaction_id is not null as forwarded,
    case
        when waited.outcome <> 'answered' then null
        when waited.legs > 0 then 'upstream'
        when waited.aa then 'zone'
        when waited.is_forwarder then 'cache'
    end as answered_from,
    case when waited.legs > 0 then cast(least(waited.waited_us, waited.whole_us) as bigint) end as upstream_us
from transaction_sighting as sighting
inner join waited on waited.transaction_id = sighting.transaction_id
left join leg on leg.transaction_id = sighting.transaction_id
order by sighting.row
