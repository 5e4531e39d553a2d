-- The tuple, as one text, of each sighting whose source some translation had or gave.
-- In: sighting, hop, tracked, translated_before (nat_ip, src_ip). Out: tupled (row, tuple, start_us, end_us, started).
create or replace temp table tupled as
with source as (
    select src_ip
    from sighting
    where row in (select original_row from hop union all select row from hop union all select row from tracked)
    union
    select unnest([src_ip, nat_ip]) from translated_before
)
select
    row,
    concat_ws(
        '|', src_ip, coalesce(src_port, -1)::varchar, dst_ip, coalesce(dst_port, -1)::varchar, protocol::varchar,
        length(cluster)::varchar, cluster, question, coalesce(origin, '')
    ) as tuple,
    start_us,
    end_us,
    started
from sighting
where src_ip in (select src_ip from source)
