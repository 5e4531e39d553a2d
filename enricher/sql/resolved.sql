-- Which steps are one resolution: one call of a resolver.
-- In: step, transactions. Parameters: $near_us, how long a client takes from one step to the next at most; $again_us, within what
-- time a resolver sends a query again.
-- Out: resolved (transactions, with asked, suffix, place, resolution_id: the transaction_id of its first transaction).
-- The steps of one name are cut after a pause, where the order of the search path begins anew, and where something is asked
-- again that was answered, or given up. The same message from the same socket goes on: glibc repeats both of a pair of which one was
-- lost. A resolver gives up what it has repeated; one that sends a new message each time (Go) has tried twice after $again_us. A name without data as it stands, before any suffix, was asked for as it stands first.
create or replace temp table resolved as
with name as (
    select row_number() over () as name, cluster, client_ip, asked
    from (select distinct cluster, client_ip, asked from step)
),

paused as (
    select
        step.row, step.start_us, step.is_data, step.asked, step.suffix, step.place, name.name,
        transactions.qtype,
        case when transactions.outcome = 'answered' then not coalesce(transactions.tc, false) else transactions.attempts > 1 end
            as is_ended,
        coalesce(step.start_us <= $again_us + lag(step.start_us) over (
            partition by name.name, step.suffix, transactions.qtype, transactions.client_port, transactions.id
            order by step.start_us, step.row
        ), false) as is_again,
        coalesce(step.start_us > $near_us + max(step.end_us) over (
            partition by name.name order by step.start_us, step.row rows between unbounded preceding and 1 preceding
        ), true) as is_late
    from step
    inner join name using (cluster, client_ip, asked)
    inner join transactions using (row)
),

run as (
    select
        *,
        count(*) filter (where is_late and not is_again) over (
            partition by name order by start_us, row rows unbounded preceding
        ) as run
    from paused
),

placed as (
    select
        run.* exclude (place),
        case when run.suffix = '.' and stood_first.run is not null then 0 else run.place end as place
    from run
    left join (
        select name, run
        from run
        group by name, run
        having count(distinct suffix) > 1 and not bool_or(is_data and suffix = '.')
            and arg_min(suffix, {'at': start_us, 'row': row}) = '.'
    ) as stood_first
        on stood_first.name = run.name and stood_first.run = run.run
),

begun as (
    select
        *,
        coalesce(place < lag(place) over (partition by name, run order by start_us, row), true) as begins
    from placed
),

part as (
    select
        *,
        count(*) filter (where begins) over (partition by name, run order by start_us, row rows unbounded preceding) as part
    from begun
),

counted as (
    select
        *,
        count(*) filter (where is_ended and not is_again) over (
            partition by name, run, part, suffix, qtype order by start_us, row
            rows between unbounded preceding and 1 preceding
        ) - case when is_again then 1 else 0 end
        + (1 + count(*) filter (where not is_ended and not is_again) over (
            partition by name, run, part, suffix, qtype order by start_us
            range between unbounded preceding and $again_us preceding
        )) // 2 as times
    from part
),

turned as (
    select
        row, asked, suffix, place, name, run, part, start_us,
        max(times) over (partition by name, run, part order by start_us, row rows unbounded preceding) as turn
    from counted
)

select
    transactions.*,
    turned.asked,
    turned.suffix,
    turned.place,
    first_value(transactions.transaction_id) over (
        partition by turned.name, turned.run, turned.part, turned.turn order by turned.start_us, turned.row
    ) as resolution_id
from turned
inner join transactions using (row)
