-- Names under the first suffix of a search path that had no data there: what was asked for may follow under another one.
-- In: query, cluster_domain.
-- Out: begun (cluster, client_ip, asked, domain, start_us).
create or replace temp table begun as
select cluster, client_ip, first.name as asked, first.domain as domain, start_us
from query
semi join cluster_domain on cluster_domain.cluster = query.cluster and cluster_domain.domain = first.domain
where first.name <> '' and not is_data and coalesce(first.namespace = client_namespace, true)
