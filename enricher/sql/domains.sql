-- The name of a destination outside, out of what src, its workload and its cluster were told, and what src's ClientHello says.
-- In: outgoing (row, sni, tls_ech), and of names_heard.sql: by_client, by_workload, by_cluster, these two with one_party: all
-- valid names are of one registered domain.
-- Out: row, dst_domain, domain_method, domain_confidence, domain_alternatives, ambiguous.
-- What src was told for the address goes before what it says it wants there: anybody can write any SNI.
with known as (
    select
        outgoing.row,
        outgoing.sni,
        outgoing.tls_ech,
        case
            when own.is_valid then 'dns'
            when own.row is not null then 'dns_expired'
            when outgoing.sni is not null then 'sni'
            when by_workload.one_party then 'dns_workload'
            when by_workload.row is null and by_cluster.one_party then 'dns_cluster'
        end as method,
        own,
        by_workload,
        by_cluster
    from outgoing
    left join by_client as own using (row)
    left join by_workload using (row)
    left join by_cluster using (row)
),
judged as (
    select
        *,
        case method
            when 'sni' then sni
            when 'dns_workload' then by_workload.name
            when 'dns_cluster' then by_cluster.name
            else own.name
        end as name,
        case method
            when 'sni' then null
            when 'dns_workload' then by_workload.others
            when 'dns_cluster' then by_cluster.others
            else own.others
        end as others,
        case method
            when 'sni' then 0
            when 'dns_workload' then by_workload.names
            when 'dns_cluster' then by_cluster.names
            else own.names
        end as names
    from known
    where method is not null
)
select
    row,
    name as dst_domain,
    method as domain_method,
    case
        when method = 'dns_cluster' then 'low'
        when method = 'dns_workload' then case when names = 1 then 'medium' else 'low' end
        when method = 'sni' then case when by_cluster.agrees then 'medium' else 'low' end
        when own.agrees then 'high'
        when sni is not null and not coalesce(tls_ech, false) then 'low'
        when method = 'dns' and names = 1 and sni is null then 'high'
        else 'medium'
    end as domain_confidence,
    others as domain_alternatives,
    names > 1 and not coalesce(own.agrees, false) as ambiguous
from judged
order by row
