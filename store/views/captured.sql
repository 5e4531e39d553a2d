-- When each node was captured, without a gap of more than a tenth of a second, one row for each ten minutes that this reaches into.
-- A live collector tells of every few seconds and every interface: that many rows are no good for a lookup by time.
with told as (
    select distinct cluster, node, epoch_us(from_time) as from_us, epoch_us(until_time) as until_us
    from coverage
    where node is not null
),

begun as (
    select
        *,
        coalesce(from_us > 100000 + max(until_us) over (
            partition by cluster, node order by from_us, until_us rows between unbounded preceding and 1 preceding
        ), false) as begins
    from told
),

numbered as (
    select
        *,
        count(*) filter (begins) over (
            partition by cluster, node order by from_us, until_us rows unbounded preceding
        ) as stretch
    from begun
),

stretches as (
    select cluster, node, min(from_us) as from_us, max(until_us) as until_us
    from numbered
    group by cluster, node, stretch
)

select *, unnest(range(from_us // 600000000, until_us // 600000000 + 1)) as ten_minutes
from stretches
