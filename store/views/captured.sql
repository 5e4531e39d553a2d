-- When each node was captured: one row for each ten minutes in which it was, with the first and the last moment of it.
-- A live collector tells of every few seconds and every interface: that many rows are no good for a lookup by time.
with told as (
    select distinct cluster, node, epoch_us(from_time) as from_us, epoch_us(until_time) as until_us
    from coverage
    where node is not null
),

divided as (
    select *, unnest(range(from_us // 600000000, until_us // 600000000 + 1)) as ten_minutes
    from told
)

select
    cluster,
    node,
    ten_minutes,
    min(greatest(from_us, ten_minutes * 600000000)) as from_us,
    max(least(until_us, (ten_minutes + 1) * 600000000)) as until_us
from divided
group by cluster, node, ten_minutes
