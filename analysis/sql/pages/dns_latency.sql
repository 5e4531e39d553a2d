-- question: How long did answers take over time?
-- grain: one row for each bar
-- read by: the page DNS
-- parameter namespace text null: of the client
-- parameter workload text null: of the client
-- parameter bar_s integer 60: seconds a bar stands for; a transaction counts where it began
select
    cast(floor(epoch(start_time) / $bar_s) as bigint) * $bar_s as bar,
    percentile_cont(0.5) within group (order by latency_us) as p50_us,
    percentile_cont(0.95) within group (order by latency_us) as p95_us,
    percentile_cont(0.99) within group (order by latency_us) as p99_us
from dns
where ($namespace is null or client_namespace = $namespace)
    and ($workload is null or client_workload = $workload)
    and latency_us is not null
group by cast(floor(epoch(start_time) / $bar_s) as bigint) * $bar_s
order by bar
