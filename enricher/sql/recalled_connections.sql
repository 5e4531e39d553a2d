-- The connections of the lake's last records, for an enricher that starts.
-- In: flow_records. Out: as going_on.
-- The key is that of connections.sql; records in a tunnel tell nothing that the records of the same connection outside do not.
with ends as (
    select
        connection_id,
        src_ip || '|' || coalesce(src_port::varchar, '') as one,
        coalesce(backend_ip, dst_ip) || '|' || coalesce(
            (case when backend_ip is null then dst_port else backend_port end)::varchar, ''
        ) as other,
        '|' || protocol || '|' || length(coalesce(cluster, '')) || '|' || coalesce(cluster, '') || '|' as rest,
        epoch_us(start_time) as start_us,
        epoch_us(end_time) as end_us,
        ended,
        coalesce(node, '') as node
    from flow_records
    where tunnel is null
)

select
    least(one, other) || '|' || greatest(one, other) || rest as key,
    connection_id,
    min(start_us) as connection_us,
    max(end_us) as end_us,
    arg_max(ended, end_us) as ended,
    arg_max(node, end_us) as node
from ends
group by key, connection_id
order by key, connection_id
