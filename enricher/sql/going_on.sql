-- The connections that later records may go on with.
-- In: connection, sighting, ended (row, ended), going_on. Parameters: $silent_us, how long one that has not ended may be silent
-- between two records; $late_us, how much later another interface's record of one that has ended may come; $most, how many are kept.
-- Out: as going_on, with the node that saw it last. How long it has been silent is told by the newest record of that node: another
-- one's clock, or its spool, may be an hour away.
with known as (
    select
        connection.key, connection.connection_id, connection.connection_us, connection.end_us, ended.ended,
        coalesce(sighting.node, '') as node
    from connection
    inner join ended on ended.row = connection.row
    inner join sighting on sighting.row = connection.row
    union all
    select key, connection_id, connection_us, end_us, ended, node from going_on
),

newest as (
    select node, max(end_us) as end_us from known group by node
)

select
    known.key,
    known.connection_id,
    min(known.connection_us) as connection_us,
    max(known.end_us) as end_us,
    arg_max(known.ended, known.end_us) as ended,
    arg_max(known.node, known.end_us) as node
from known
inner join newest using (node)
group by known.key, known.connection_id
having max(known.end_us - newest.end_us)
    > - case when arg_max(known.ended, known.end_us) then $late_us else $silent_us end
order by max(known.end_us) desc, known.key, known.connection_id
limit $most
