-- question: How did DNS fare over time?
-- grain: one row for each bar and ending: answered, NXDOMAIN, error, unanswered
-- read by: the page DNS
-- parameter namespace text null: of the client
-- parameter workload text null: of the client
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
        latency_us
    from dns
    where ($namespace is null or client_namespace = $namespace)
        and ($workload is null or client_workload = $workload)
        and outcome <> 'unsolicited'
)

select bar, ending, count(*) as transactions
from chosen
group by bar, ending
order by bar, ending
