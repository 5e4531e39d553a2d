-- question: How did calls of resolvers fare as a whole, and which workloads waited for names, or did not get them, and when?
-- grain: one row (place 0) for all, and one a workload (or address) and bar in which it asked, of those that waited longest or failed most
-- read by: the page DNS
-- parameter namespace text null: of the client
-- parameter workload text null: of the client, or its address where it has none
-- parameter bar_s integer 60: seconds a bar stands for; a call of a resolver counts where it began
-- parameter failing flag false: rank by the calls that failed, not by the time waited
-- parameter workloads integer 12: how many
with chosen as (
    select
        cast(floor(epoch(start_time) / $bar_s) as bigint) * $bar_s as bar,
        client_namespace,
        coalesce(client_workload, client_ip) as client,
        -- Who was not answered waited at least until he asked for the last time.
        coalesce(duration_us, cast(round(1000000 * (epoch(end_time) - epoch(start_time))) as bigint)) as waited_us,
        case when outcome in ('answered', 'no_data') then 0 else 1 end as failed,
        queries,
        wasted_queries
    from resolutions
    where not forwarded
        and ($namespace is null or client_namespace = $namespace)
        and ($workload is null or coalesce(client_workload, client_ip) = $workload)
),

added as (
    select
        bar,
        client_namespace,
        client,
        count(*) as calls,
        cast(sum(waited_us) as bigint) as waited_us,
        cast(sum(failed) as bigint) as failed,
        cast(sum(queries) as bigint) as queries,
        cast(sum(wasted_queries) as bigint) as wasted_queries
    from chosen
    group by bar, client_namespace, client
),

ranked as (
    select
        client_namespace,
        client,
        row_number() over (
            order by case when $failing then sum(failed) else sum(waited_us) end desc, client_namespace, client
        ) as place
    from added
    group by client_namespace, client
)

select
    0 as place,
    cast(null as bigint) as bar,
    null as client_namespace,
    null as client,
    cast(coalesce(sum(calls), 0) as bigint) as calls,
    coalesce(sum(waited_us), 0) / 1000000 as waited_s,
    cast(coalesce(sum(failed), 0) as bigint) as failed,
    cast(coalesce(sum(queries), 0) as bigint) as queries,
    cast(coalesce(sum(wasted_queries), 0) as bigint) as wasted_queries
from added
union all
select
    ranked.place,
    added.bar,
    added.client_namespace,
    added.client,
    added.calls,
    added.waited_us / 1000000 as waited_s,
    added.failed,
    added.queries,
    added.wasted_queries
from added
inner join ranked
    on added.client = ranked.client and added.client_namespace is not distinct from ranked.client_namespace
where ranked.place <= $workloads
order by place, bar
