-- question: What does the search path cost each workload, name by name?
-- grain: one row a client workload (or address) and name, workloads and names that waste most first; names beyond the first `most` together, by dots
-- read by: the DNS doctor
-- parameter namespace text null: namespace of the client
-- parameter workload text null: workload of the client
-- parameter least integer 3: fewest wasted queries of a workload: one name, one type, three suffixes
-- parameter most integer 20: names of a workload that are told one by one
-- Of a name that nobody has, or that nobody answers for, no step is wasted here: it is its spelling, or the server, that is wrong.
with counted as (
    select
        *,
        case when outcome in ('nxdomain', 'unanswered') then 0 else wasted_queries end as wasted,
        case when outcome in ('nxdomain', 'unanswered') then 0 else wasted_us end as lost_us
    from resolutions
    where not forwarded
        and ($namespace is null or client_namespace = $namespace)
        and ($workload is null or client_workload = $workload)
),

called as (
    select
        client_namespace,
        client_workload_kind,
        coalesce(client_workload, client_ip) as client_name,
        asked,
        coalesce(suffixes[1] = '.', false) as bare_first,
        len(suffixes) as steps,
        answered_suffix,
        qtypes,
        count(*) as resolutions,
        count(*) filter (where wasted > 0) as wasteful,
        sum(queries) as queries,
        sum(wasted) as wasted_queries,
        sum(lost_us) as wasted_us,
        sum(retries) as retries,
        min(start_time) as first_seen,
        max(start_time) as last_seen
    from counted
    group by
        client_namespace, client_workload_kind, coalesce(client_workload, client_ip), asked,
        coalesce(suffixes[1] = '.', false), len(suffixes), answered_suffix, qtypes
),

stepped as (
    select
        *,
        coalesce(answered_suffix = '.', false) as found_bare,
        coalesce(answered_suffix <> '.', false) as found_by_search,
        resolutions * (length(qtypes) - length(replace(qtypes, ',', '')) + 1) as step_queries,
        -- The first suffix finds it at once, so that it may have been written without: redis-0.redis, with a dot of its own.
        case
            when strpos(asked, '.' || client_namespace || '.svc.') > 0
                then left(asked, strpos(asked, '.' || client_namespace || '.svc.') - 1)
        end as short
    from called
),

-- What becomes of a name when another step comes first hangs on which came first, and on which was answered.
named as (
    select
        client_namespace,
        client_workload_kind,
        client_name,
        asked,
        case when asked = '.' then 0 else length(asked) - length(replace(asked, '.', '')) end as dots,
        length(short) - length(replace(short, '.', '')) as short_dots,
        min(qtypes) as qtypes,
        max(steps) as steps,
        min(case when found_by_search then answered_suffix end) as search_suffix,
        sum(resolutions) as resolutions,
        sum(wasteful) as wasteful,
        sum(queries) as queries,
        sum(wasted_queries) as wasted_queries,
        sum(wasted_us) as wasted_us,
        sum(retries) as retries,
        sum(case when bare_first then 0 else resolutions end) as searched_first,
        sum(case when bare_first and steps > 1 then resolutions else 0 end) as searched_last,
        sum(case when found_by_search then resolutions else 0 end) as found_by_search,
        sum(case when found_bare then wasteful else 0 end) as found_late,
        sum(case when found_bare then wasted_queries else 0 end) as late_queries,
        sum(case when found_bare then wasted_us else 0 end) as late_us,
        sum(case when found_bare and bare_first then step_queries else 0 end) as bare_step,
        -- What is wasted before the suffixes; each suffix in vain cost one step.
        sum(case when found_by_search and bare_first then wasted_queries - step_queries * (steps - 2) else 0 end) as vain_queries,
        sum(case when found_by_search and not bare_first then step_queries else 0 end) as search_step,
        min(first_seen) as first_seen,
        max(last_seen) as last_seen
    from stepped
    group by client_namespace, client_workload_kind, client_name, asked, short
),

ranked as (
    select
        *,
        sum(queries) over (partition by client_namespace, client_workload_kind, client_name) as workload_queries,
        sum(wasted_queries) over (partition by client_namespace, client_workload_kind, client_name) as workload_wasted,
        row_number() over (
            partition by client_namespace, client_workload_kind, client_name
            order by wasted_queries desc, queries desc, asked
        ) <= $most as told
    from named
)

select
    client_namespace,
    client_workload_kind,
    client_name,
    case when told then asked end as asked,
    count(*) as names,
    dots,
    short_dots,
    min(qtypes) as qtypes,
    max(steps) as steps,
    min(search_suffix) as search_suffix,
    sum(resolutions) as resolutions,
    sum(wasteful) as wasteful,
    sum(queries) as queries,
    sum(wasted_queries) as wasted_queries,
    sum(wasted_us) as wasted_us,
    sum(retries) as retries,
    sum(searched_first) as searched_first,
    sum(searched_last) as searched_last,
    sum(found_by_search) as found_by_search,
    sum(found_late) as found_late,
    sum(late_queries) as late_queries,
    sum(late_us) as late_us,
    sum(bare_step) as bare_step,
    sum(vain_queries) as vain_queries,
    sum(search_step) as search_step,
    workload_queries,
    workload_wasted,
    min(first_seen) as first_seen,
    max(last_seen) as last_seen
from ranked
where workload_wasted >= $least
group by
    client_namespace, client_workload_kind, client_name, workload_queries, workload_wasted,
    case when told then asked end, dots, short_dots
order by
    workload_wasted desc, client_namespace, client_workload_kind, client_name,
    wasted_queries desc, queries desc, asked, dots, short_dots
