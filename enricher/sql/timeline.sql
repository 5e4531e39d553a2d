-- Who held an address when: per address, spans that never overlap, each with its one owner.
-- In: assignment (owner, ip, uid, kind, host_network, from_us, until_us).
-- Out: timeline (ip, from_us, until_us, owner, ambiguous).
-- A pod on the host network shares its node's address, which cannot tell them apart: the node is taken. A Service may
-- stand on the address of a node (external addresses, load balancers): its port tells it, so the node comes first here too.
-- Of several others the latest from_time is taken, and the span is ambiguous.
create or replace temp table timeline as
with held as (
    select ip, owner, uid, kind = 'service' as is_service, from_us, coalesce(until_us, 9223372036854775807) as until_us
    from assignment
    where not host_network
),
moment as (
    select ip, from_us as at_us from held
    union
    select ip, until_us as at_us from held
),
span as (
    select ip, at_us as from_us, lead(at_us) over (partition by ip order by at_us) as until_us from moment
)
select
    span.ip,
    span.from_us,
    span.until_us,
    first(held.owner order by held.is_service, held.from_us desc, held.uid desc) as owner,
    case
        when bool_and(held.is_service) then count(distinct held.uid)
        else count(distinct held.uid) filter (not held.is_service)
    end > 1 as ambiguous
from span
inner join held on held.ip = span.ip and held.from_us <= span.from_us and span.until_us <= held.until_us
group by span.ip, span.from_us, span.until_us
