-- question: How much of the time and of the packets was captured on each node?
-- grain: one row a node
-- read by: tailrace policy
-- parameter least_gap integer 60: seconds without a capture that count as a gap
with ordered as (
    select
        node, from_time, until_time, packets, cut_packets, kernel_drops, sampled_ratio, evictions,
        epoch(from_time) - epoch(max(until_time) over (
            partition by node
            order by from_time, until_time
            rows between unbounded preceding and 1 preceding
        )) as silence_s
    from coverage
)

select
    node,
    min(from_time) as from_time,
    max(until_time) as until_time,
    cast(sum(packets) as bigint) as packets,
    cast(sum(cut_packets) as bigint) as cut_packets,
    cast(coalesce(sum(kernel_drops), 0) as bigint) as kernel_drops,
    cast(sum(evictions) as bigint) as evictions,
    min(sampled_ratio) as least_sampled_ratio,
    count(*) filter (where silence_s >= $least_gap) as gaps,
    coalesce(sum(silence_s) filter (where silence_s >= $least_gap), 0) as gap_s
from ordered
group by node
order by node
