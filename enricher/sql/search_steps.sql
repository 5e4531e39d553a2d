-- Which transactions are steps of a search path: what was asked for, and what was put behind it.
-- In: query, begun, search_domain. Parameter: $near_us, how far steps of one name may be apart.
-- Out: step (row, cluster, client_ip, start_us, end_us, is_data, asked, suffix, place): the place of the suffix in a search path.
-- A name NAME.NAMESPACE.svc.DOMAIN without data begins a search path, or ends one, where the same client asks for NAME.svc.DOMAIN,
-- NAME.DOMAIN, or NAME shortly before or after. Of several names that a transaction may be a step of, that one is taken whose
-- other steps are nearest in time.
create or replace temp table step as
with domain as (
    select distinct cluster, client_ip, domain from begun
),

candidate as (
    select row, first.name as asked, first.namespace || '.svc.' || first.domain as suffix, 1 as place
    from query
    where first.name <> '' and coalesce(first.namespace = client_namespace, true)
    union all
    select query.row, left(query.qname, length(query.qname) - length(domain.domain) - 5), 'svc.' || domain.domain, 2
    from query
    inner join domain on domain.cluster = query.cluster and domain.client_ip = query.client_ip
    where ends_with(query.qname, '.svc.' || domain.domain)
    union all
    select query.row, left(query.qname, length(query.qname) - length(domain.domain) - 1), domain.domain, 3
    from query
    inner join domain on domain.cluster = query.cluster and domain.client_ip = query.client_ip
    where ends_with(query.qname, '.' || domain.domain)
    union all
    select query.row, left(query.qname, length(query.qname) - length(search_domain.domain) - 1), search_domain.domain, 4
    from query
    inner join search_domain on search_domain.cluster = query.cluster
    where ends_with(query.qname, '.' || search_domain.domain)
    union all
    select row, qname, '.', 5 from query
),

possible as (
    select query.row, query.cluster, query.client_ip, query.start_us, query.end_us, query.is_data, asked, suffix, place
    from candidate
    inner join query using (row)
    semi join begun using (cluster, client_ip, asked)
),

parted as (
    select
        *,
        coalesce(start_us > $near_us + max(end_us) over (
            partition by cluster, client_ip, asked order by start_us, row rows between unbounded preceding and 1 preceding
        ), true) as is_first,
        suffix is distinct from lag(suffix) over in_order as is_other,
        lag(start_us) over in_order as earlier_us,
        suffix is distinct from lead(suffix) over in_order as is_last,
        lead(start_us) over in_order as later_us
    from possible
    window in_order as (partition by cluster, client_ip, asked order by start_us, row)
),

numbered as (
    select
        *,
        count(*) filter (where is_first) over (
            partition by cluster, client_ip, asked order by start_us, row rows unbounded preceding
        ) as part,
        start_us - max(earlier_us) filter (where is_other) over (
            partition by cluster, client_ip, asked order by start_us, row rows unbounded preceding
        ) as after_us,
        min(later_us) filter (where is_last) over (
            partition by cluster, client_ip, asked order by start_us, row rows between current row and unbounded following
        ) - start_us as before_us
    from parted
),

searched as (
    select *
    from numbered
    semi join (
        select cluster, client_ip, asked, part
        from numbered
        group by cluster, client_ip, asked, part
        having count(distinct suffix) > 1 and bool_or(place = 1 and not is_data)
    ) using (cluster, client_ip, asked, part)
    qualify row_number() over (
        partition by row order by least(after_us, before_us), length(asked) desc, place
    ) = 1
)

select
    query.row, query.cluster, query.client_ip, query.start_us, query.end_us, query.is_data,
    coalesce(searched.asked, query.qname) as asked,
    coalesce(searched.suffix, '.') as suffix,
    coalesce(searched.place, 5) as place
from query
left join searched on searched.row = query.row
