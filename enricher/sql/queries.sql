-- Queries, with the parts of names such as those of Services.
-- In: transactions.
-- Out: query; first: what stands before NAMESPACE.svc.DOMAIN, the namespace, and the domain, empty where the name is none such.
create or replace temp table query as
select
    row, cluster, client_ip, client_namespace, qname, start_us, end_us, is_data,
    regexp_extract(qname, '^(.+)\.([^.]+)\.svc\.(.+)$', ['name', 'namespace', 'domain']) as first
from transactions
where query_time is not null and qname is not null
