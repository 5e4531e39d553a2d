-- Names that led a client to another name, whose addresses it had to ask for by itself.
-- In: answer_record, told. Out: link (cluster, client_ip, name, target, response_us, until_us).
-- A CNAME leads on where its answer ends there, and its name never got addresses itself (of many names the AAAA answer ends so,
-- and the A answer has them). An HTTPS or SVCB record leads to its target (RFC 9460 §2.4) unless that is the name itself.
create or replace temp table link as
with record as (
    select *, rtrim(lower(case when type = 'CNAME' then data else split_part(data, ' ', 2) end), '.') as target
    from answer_record
    where type in ('CNAME', 'HTTPS', 'SVCB')
),
cut as (
    select record.*
    from record
    anti join (select row, owner from record where type = 'CNAME') as onward
        on onward.row = record.row and onward.owner = record.target
    anti join told using (cluster, client_ip, name)
    where type = 'CNAME'
)
select cluster, client_ip, target, response_us, min(name) as name, arg_min(until_us, (name, until_us)) as until_us
from (select * from cut union all select * from record where type <> 'CNAME')
where target not in ('', name)
group by cluster, client_ip, target, response_us
