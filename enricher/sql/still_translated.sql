-- The translations that later records may still be seen through.
-- In: translation, tupled, sighting, ended (row, ended). Parameters: $silent_us, how long a connection that has not ended may be silent between
-- two records; $most, how many are kept, the latest. Out: as translation, without rows.
with seen as (
    select tupled.tuple, max(tupled.end_us) as end_us, arg_max(ended.ended, tupled.end_us) as ended
    from tupled
    inner join ended on ended.row = tupled.row
    where tupled.tuple in (select tuple from translation)
    group by tupled.tuple
),

kept as (
    select
        translation.* exclude (end_us, last_row),
        greatest(translation.end_us, seen.end_us) as end_us,
        coalesce(seen.ended, false) as ended
    from translation
    left join seen on seen.tuple = translation.tuple
    qualify row_number() over (partition by translation.tuple order by translation.from_us desc, translation.original) = 1
),

newest as (
    select max(end_us) as end_us from (select end_us from sighting union all select end_us from translation)
)

select tuple, original, from_us, kept.end_us, src_ip, src_port, nat_ip, nat_port
from kept
cross join newest
where not ended and kept.end_us > newest.end_us - $silent_us
order by kept.end_us desc, tuple
limit $most
