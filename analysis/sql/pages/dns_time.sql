-- question: How did names fare over time, and as a whole?
-- grain: one row a bar, and one without a bar for all of them together; latencies are less than 5 % off
-- read by: the page DNS
-- parameter namespace text null: of the client
-- parameter workload text null: of the client, or its address where it has none
-- parameter pod text null: of the client
-- parameter server text null: the server as namespace/pod, or its address where it is no pod
-- parameter forwarded flag false: what name servers ask of others, instead of what they are asked
-- parameter bar_s integer 60: seconds a bar stands for; a transaction counts where it began
with chosen as (
    select
        cast(floor(epoch(start_time) / $bar_s) as bigint) * $bar_s as bar,
        case
            when outcome = 'unanswered' then 'unanswered'
            when rcode = 'NOERROR' then 'answered'
            when rcode = 'NXDOMAIN' then 'NXDOMAIN'
            else 'error'
        end as ending,
        answered_from,
        -- Eighths of a power of two are added up in place of millions of latencies.
        case when latency_us is not null then cast(floor(8 * log2(greatest(latency_us, 1))) as integer) end as eighth
    from dns
    where outcome <> 'unsolicited' and forwarded = $forwarded
        and ($namespace is null or client_namespace = $namespace)
        and ($workload is null or coalesce(client_workload, client_ip) = $workload)
        and ($pod is null or client_pod = $pod)
        and ($server is null or coalesce(server_namespace || '/' || server_pod, server_ip) = $server)
),

added as (
    select bar, ending, answered_from, eighth, count(*) as transactions
    from chosen
    group by bar, ending, answered_from, eighth
),

framed as (
    select bar, ending, answered_from, eighth, transactions from added
    union all
    select null as bar, ending, answered_from, eighth, transactions from added
),

sums as (
    select
        bar,
        cast(sum(transactions) as bigint) as transactions,
        cast(coalesce(sum(transactions) filter (where ending = 'answered'), 0) as bigint) as answered,
        cast(coalesce(sum(transactions) filter (where ending = 'NXDOMAIN'), 0) as bigint) as nxdomain,
        cast(coalesce(sum(transactions) filter (where ending = 'error'), 0) as bigint) as errors,
        cast(coalesce(sum(transactions) filter (where ending = 'unanswered'), 0) as bigint) as unanswered,
        cast(coalesce(sum(transactions) filter (where answered_from = 'cache'), 0) as bigint) as from_cache,
        cast(coalesce(sum(transactions) filter (where answered_from = 'upstream'), 0) as bigint) as from_upstream
    from framed
    group by bar
),

climbed as (
    select
        bar,
        eighth,
        sum(sum(transactions)) over (partition by bar order by eighth) as so_far,
        sum(sum(transactions)) over (partition by bar) as timed
    from framed
    where eighth is not null
    group by bar, eighth
),

reached as (
    select
        bar,
        min(eighth) filter (where so_far >= 0.5 * timed) as p50,
        min(eighth) filter (where so_far >= 0.95 * timed) as p95,
        min(eighth) filter (where so_far >= 0.99 * timed) as p99
    from climbed
    group by bar
)

select
    sums.*,
    power(2, (reached.p50 + 0.5) / 8) as p50_us,
    power(2, (reached.p95 + 0.5) / 8) as p95_us,
    power(2, (reached.p99 + 0.5) / 8) as p99_us
from sums
left join reached on sums.bar is not distinct from reached.bar
order by sums.bar nulls first
