-- The domains of clusters: what stands behind NAME.NAMESPACE.svc in the names of clients of that namespace.
-- In: query. Parameters: $domain, the domain of a cluster that is not told otherwise; $most, how many others are believed.
-- Out: cluster_domain (cluster, domain).
create or replace temp table cluster_domain as
with seen as (
    select cluster, first.domain as domain, count(distinct client_ip) as clients, count(*) filter (where is_data) as found
    from query
    where first.name <> '' and first.namespace = client_namespace
    group by cluster, first.domain
)

select cluster, domain
from seen
qualify domain = $domain or row_number() over (partition by cluster order by clients desc, found desc, domain) <= $most
union
select distinct cluster, $domain from query
