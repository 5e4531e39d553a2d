-- Records of an answer that say where the name asked for leads.
-- In: dns (row, cluster, client_ip, client_owner, qname, response_us, rcode, answers).
-- Out: answer_record (row, cluster, client_ip, client_owner, name, response_us, type, owner, data, until_us), name the one asked for.
-- A record counts where it belongs to the name asked for, or to a name a CNAME of the same answer leads to. It is good for as
-- long as the shortest-lived record on that way.
create or replace temp table answer_record as
with unnested as (
    select row, cluster, client_ip, client_owner, qname, response_us, unnest(answers, recursive := false) as answer
    from dns
    where response_us is not null and qname is not null and rcode = 'NOERROR'
),
record as (
    select * exclude (answer), answer.type as type, answer.ttl as ttl, answer.data as data, rtrim(lower(answer.name), '.') as owner
    from unnested
    where answer.type in ('A', 'AAAA', 'CNAME', 'HTTPS', 'SVCB')
),
cname as (
    select row, list(distinct rtrim(lower(data), '.')) as targets, min(ttl) as ttl
    from record
    where type = 'CNAME'
    group by row
)
select
    record.row,
    cluster,
    client_ip,
    client_owner,
    qname as name,
    response_us,
    type,
    owner,
    data,
    response_us + 1000000 * least(record.ttl, coalesce(cname.ttl, record.ttl)) as until_us
from record
left join cname on cname.row = record.row
where owner = qname or coalesce(list_contains(cname.targets, owner), false)
