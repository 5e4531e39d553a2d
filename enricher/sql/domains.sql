-- The name by which the source of a flow knew a destination outside, in the order of the rows.
-- In: outgoing (row, cluster, src_ip, dst_ip, connection_us, tls_sni), resolution, name_count.
-- Parameter: $grace_us, how long after its end an answer still tells a name.
-- Out: row, dst_domain, domain_method, ambiguous: several names were valid then.
-- The latest answer tells the name, unless it has expired and an earlier one has not: then the latest of those does. They
-- are looked for only there, and only among answers that outlive the next one.
with latest as (
    select
        cluster,
        client_ip,
        address,
        response_us,
        min(name) as name,
        arg_min(until_us, (name, until_us)) as until_us,
        max(max(until_us)) over (
            partition by cluster, client_ip, address order by response_us rows unbounded preceding
        ) as any_until_us
    from resolution
    group by cluster, client_ip, address, response_us
),
asked as (
    select outgoing.*, latest.name, latest.until_us, latest.any_until_us
    from outgoing
    asof left join latest
        on latest.cluster = outgoing.cluster and latest.client_ip = outgoing.src_ip
        and latest.address = outgoing.dst_ip and outgoing.connection_us >= latest.response_us
),
outliving as (
    select *
    from resolution
    qualify until_us > coalesce(
        lead(until_us) over (partition by cluster, client_ip, address order by response_us, name desc), 0
    )
),
earlier as (
    select missed.cluster, missed.src_ip, missed.dst_ip, missed.connection_us,
        arg_max(outliving.name, (outliving.response_us, outliving.name)) as name
    from (
        select distinct cluster, src_ip, dst_ip, connection_us
        from asked
        where until_us <= connection_us and connection_us < any_until_us
    ) as missed
    inner join outliving
        on outliving.cluster = missed.cluster and outliving.client_ip = missed.src_ip
        and outliving.address = missed.dst_ip
        and outliving.response_us <= missed.connection_us and missed.connection_us < outliving.until_us
    group by all
),
known as (
    select
        asked.row,
        asked.tls_sni,
        coalesce(earlier.name, asked.name) as name,
        case
            when earlier.name is not null or asked.connection_us < asked.until_us then 'dns'
            when asked.connection_us < asked.until_us + $grace_us then 'dns_expired'
        end as method,
        coalesce(name_count.names > 1, false) as ambiguous
    from asked
    left join earlier
        on earlier.cluster = asked.cluster and earlier.src_ip = asked.src_ip and earlier.dst_ip = asked.dst_ip
        and earlier.connection_us = asked.connection_us
    asof left join name_count
        on name_count.cluster = asked.cluster and name_count.client_ip = asked.src_ip
        and name_count.address = asked.dst_ip and asked.connection_us >= name_count.from_us
)
select
    row,
    case when method is not null then name else tls_sni end as dst_domain,
    coalesce(method, case when tls_sni is not null then 'sni' end) as domain_method,
    ambiguous
from known
order by row
