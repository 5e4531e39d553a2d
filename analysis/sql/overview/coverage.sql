-- question: What was seen, by whom, and what was not?
-- grain: one row a node, interface and source
-- read by: tailrace ask
select
    cluster,
    node,
    interface,
    source,
    min(from_time) as from_time,
    max(until_time) as until_time,
    cast(sum(packets) as bigint) as packets,
    cast(sum(bytes) as bigint) as bytes,
    cast(sum(cut_packets) as bigint) as cut_packets,
    cast(sum(kernel_drops) as bigint) as kernel_drops,
    cast(sum(dns_malformed) as bigint) as dns_malformed,
    cast(sum(evictions) as bigint) as evictions,
    cast(sum(pending_overflows) as bigint) as pending_overflows,
    cast(sum(stream_overflows) as bigint) as stream_overflows,
    cast(sum(datagram_overflows) as bigint) as datagram_overflows,
    cast(sum(hello_overflows) as bigint) as hello_overflows,
    min(sampled_ratio) as least_sampled_ratio,
    max(abs(clock_skew_us)) as most_clock_skew_us
from coverage
group by all
order by cluster, node, interface, source
