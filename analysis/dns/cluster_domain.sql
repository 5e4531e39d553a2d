-- question: Below which domain are the names of the cluster's Services?
-- grain: one row a domain, the one of most resolutions first
-- read by: the DNS doctor
with answered as (
    select
        case
            when answered_suffix like 'svc.%' then 'x.' || answered_suffix
            when answered_suffix = '.' then asked
            else answered_suffix
        end as name
    from resolutions
    where outcome = 'answered' and not forwarded
)

select substr(name, strpos(name, '.svc.') + 5) as domain, count(*) as resolutions
from answered
where name like '%.svc._%'
group by domain
order by resolutions desc, domain
