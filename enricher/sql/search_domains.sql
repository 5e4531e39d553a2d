-- Search domains besides the cluster's: what clients put behind several names that had no data in the cluster.
-- In: query, begun. Parameters: $near_us, how far steps of one name may be apart; $most, how many are kept.
-- Out: search_domain (cluster, domain).
create or replace temp table search_domain as
with after as (
    select query.cluster, query.client_ip, begun.asked, substr(query.qname, length(begun.asked) + 2) as domain
    from query
    asof join begun
        on begun.cluster = query.cluster and begun.client_ip = query.client_ip and query.start_us > begun.start_us
    where starts_with(query.qname, begun.asked || '.') and query.start_us <= begun.start_us + $near_us
        and not ends_with(query.qname, begun.domain)
)

select cluster, domain
from after
group by cluster, domain
having count(distinct asked) > 1
order by count(distinct client_ip) desc, count(distinct asked) desc, cluster, domain
limit $most
