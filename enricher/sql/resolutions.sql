-- Which name a client had asked for when it was told an address.
-- In: dns (row, cluster, client_ip, qname, response_us, answers).
-- Out: resolution (cluster, client_ip, address, response_us, name, until_us).
-- An address counts where its record belongs to the name asked for, or to a name a CNAME of the same answer leads to. It is
-- good for as long as the shortest-lived record on that way.
create or replace temp table resolution as
with record as (
    select row, cluster, client_ip, qname, response_us, unnest(answers, recursive := false) as answer
    from dns
    where response_us is not null and qname is not null and rcode = 'NOERROR'
),
alias as (
    select row, list(distinct rtrim(lower(answer.data), '.')) as names, min(answer.ttl) as ttl
    from record
    where answer.type = 'CNAME'
    group by row
),
told as (
    select
        record.cluster,
        record.client_ip,
        record.answer.data as address,
        record.response_us,
        record.response_us + 1000000 * least(record.answer.ttl, coalesce(alias.ttl, record.answer.ttl)) as until_us,
        record.qname as name
    from record
    left join alias on alias.row = record.row
    where
        record.answer.type in ('A', 'AAAA')
        and (
            rtrim(lower(record.answer.name), '.') = record.qname
            or coalesce(list_contains(alias.names, rtrim(lower(record.answer.name), '.')), false)
        )
)
select cluster, client_ip, address, response_us, name, min(until_us) as until_us
from told
group by cluster, client_ip, address, response_us, name
