-- The name by which the source of a flow knew a destination outside, in the order of the rows.
-- In: outgoing (row, cluster, src_ip, dst_ip, connection_us, tls_sni), resolution.
-- Parameter: $grace_us, how long after its end an answer still tells a name.
-- Out: row, dst_domain, domain_method.
with known as (
    select
        outgoing.row,
        outgoing.tls_sni,
        resolution.name,
        case
            when outgoing.connection_us < resolution.until_us then 'dns'
            when outgoing.connection_us < resolution.until_us + $grace_us then 'dns_expired'
        end as method
    from outgoing
    asof left join resolution
        on resolution.cluster = outgoing.cluster and resolution.client_ip = outgoing.src_ip
        and resolution.address = outgoing.dst_ip and outgoing.connection_us >= resolution.response_us
)
select
    row,
    case when method is not null then name else tls_sni end as dst_domain,
    coalesce(method, case when tls_sni is not null then 'sni' end) as domain_method
from known
order by row
