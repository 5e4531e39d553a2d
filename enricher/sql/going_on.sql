-- The connections that later records may go on with.
-- In: connection, sighting, ended (row, ended), going_on. Parameters: $silent_us, how long one that has not ended may be silent
-- between two records; $late_us, how much later another interface's record of one that has ended may come; $most, how many are kept.
-- Out: as going_on.
with known as (
    select connection.key, connection.connection_id, connection.connection_us, connection.end_us, ended.ended
    from connection
    inner join ended on ended.row = connection.row
    union all
    select key, connection_id, connection_us, end_us, ended from going_on
),

newest as (
    select max(end_us) as end_us from known
)

select
    known.key,
    known.connection_id,
    min(known.connection_us) as connection_us,
    max(known.end_us) as end_us,
    arg_max(known.ended, known.end_us) as ended
from known
cross join newest
group by known.key, known.connection_id, newest.end_us
having max(known.end_us)
    > newest.end_us - case when arg_max(known.ended, known.end_us) then $late_us else $silent_us end
order by max(known.end_us) desc, known.key, known.connection_id
limit $most
