-- The translations in the lake's last records, for an enricher that starts.
-- In: flow_records. Out: as translation, without rows.
-- Where a Service was asked for, its address or the pod behind it may have been what the translated packets went to.
with translated as (
    select *, unnest([
        {'ip': dst_ip, 'port': dst_port}, {'ip': coalesce(backend_ip, dst_ip), 'port': coalesce(backend_port, dst_port)}
    ]) as reached
    from flow_records
    where tunnel is null and src_nat_ip is not null
        and (src_ip, src_port) is distinct from (src_nat_ip, src_nat_port)
),
told as (
    select
        *,
        concat_ws(
            '|', protocol::varchar, length(coalesce(cluster, ''))::varchar, coalesce(cluster, ''), '', ''
        ) as rest
    from translated
)

select
    concat_ws(
        '|', src_nat_ip, coalesce(src_nat_port, -1)::varchar, reached.ip, coalesce(reached.port, -1)::varchar, rest
    ) as tuple,
    concat_ws('|', src_ip, coalesce(src_port, -1)::varchar, dst_ip, coalesce(dst_port, -1)::varchar, rest) as original,
    epoch_us(min(start_time)) as from_us,
    epoch_us(max(end_time)) as end_us,
    src_ip, src_port, src_nat_ip as nat_ip, src_nat_port as nat_port
from told
group by all
having not arg_max(ended, end_time)
order by tuple, original
