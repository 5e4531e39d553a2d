-- Names under the first suffix of a search path that had no data there: what was asked for may follow under another one.
-- In: query. Parameter: $domain, the domain of the cluster.
-- Out: begun (cluster, client_ip, asked, domain, start_us).
create or replace temp table begun as
select cluster, client_ip, first.name as asked, first.domain as domain, start_us
from query
where first.name <> '' and not is_data and coalesce(first.namespace = client_namespace, first.domain = $domain)
