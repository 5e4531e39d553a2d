-- Join what can only be one connection before and after the translation: each is the only one that fits the other.
-- In and out: translatable, changed: other_row. Parameters: $reach_us, how long after it the translated sighting may begin; $near_us,
-- sightings of one opening by one node lie closer than this; $same_port, whether the port was kept; $same_counts, whether packets and
-- bytes are the same. Without both, packets differ by an eighth at most.
-- With a longer reach only those are joined that nothing else is near to. One that was not seen to open may begin on either side first.
update translatable
set other_row = joined.other_row
from (
    with free as (
        select
            *,
            start_us - case when started or is_after then 0 else $near_us end as at_us,
            case when started then $reach_us else 2 * $near_us end as reach_us,
            case when started then $near_us else 2 * $near_us end as close_us,
            case when $same_port then src_port end as same_port,
            case when $same_counts then concat_ws('|', src_packets, src_bytes, dst_packets, dst_bytes) end as same_counts
        from translatable
        where other_row is null and (src_port is not null or not $same_port)
    ),
    looked as (
        select
            row,
            is_after,
            count(*) filter (is_after) over later as afters,
            max(row) filter (is_after) over later as after_row,
            count(*) filter (not is_after) over earlier as befores,
            max(row) filter (not is_after) over earlier as before_row,
            count(*) filter (is_after) over close_later as close_afters,
            count(*) filter (not is_after) over close_earlier as close_befores
        from free
        window
            later as (
                partition by goal, node, cluster, question, protocol, started, same_port, same_counts
                order by at_us range between current row and reach_us following
            ),
            earlier as (
                partition by goal, node, cluster, question, protocol, started, same_port, same_counts
                order by at_us range between reach_us preceding and current row
            ),
            close_later as (
                partition by goal, node, cluster, question, protocol, started
                order by at_us range between current row and close_us following
            ),
            close_earlier as (
                partition by goal, node, cluster, question, protocol, started
                order by at_us range between close_us preceding and current row
            )
    ),
    before as (
        select row, max(after_row) as other_row
        from looked
        where not is_after
        group by row
        having sum(afters) = 1 and ($reach_us = $near_us or sum(close_afters) = 0)
    ),
    after as (
        select row, max(before_row) as other_row
        from looked
        where is_after
        group by row
        having sum(befores) = 1 and ($reach_us = $near_us or sum(close_befores) = 0)
    ),
    fitting as (
        select before.row as before_row, after.row as after_row
        from before
        inner join after on after.row = before.other_row and after.other_row = before.row
        inner join (select distinct on (row) * from free where not is_after) as one on one.row = before.row
        inner join (select distinct on (row) * from free where is_after) as other on other.row = after.row
        where $same_port or $same_counts or (
            abs(one.src_packets - other.src_packets) * 8 <= greatest(one.src_packets, other.src_packets)
            and abs(one.dst_packets - other.dst_packets) * 8 <= greatest(one.dst_packets, other.dst_packets)
        )
    )
    select before_row as row, after_row as other_row, false as is_after from fitting
    union all
    select after_row, before_row, true from fitting
) as joined
where joined.row = translatable.row and joined.is_after = translatable.is_after
