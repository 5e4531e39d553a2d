-- How many names of an address are valid for those who heard of it, from each moment on at which that changes.
-- In: heard. Out: name_count (pair, from_us, names), of pairs that have several.
-- Answers that give one name again while it is valid make one span; the spans are summed up, never paired.
create or replace temp table name_count as
with known as (
    select
        pair,
        name,
        response_us,
        until_us,
        max(until_us) over (
            partition by pair, name order by response_us rows between unbounded preceding and 1 preceding
        ) as known_until_us
    from heard
    where several
),
numbered as (
    select
        *,
        count(*) filter (known_until_us is null or known_until_us < response_us) over (
            partition by pair, name order by response_us rows unbounded preceding
        ) as span
    from known
),
valid as (
    select pair, min(response_us) as from_us, max(until_us) as until_us
    from numbered
    group by pair, name, span
),
change as (
    select pair, from_us, 1 as names from valid
    union all
    select pair, until_us as from_us, -1 as names from valid
),
summed as (
    select pair, from_us, sum(names) as names
    from change
    group by pair, from_us
)
select pair, from_us, sum(names) over (partition by pair order by from_us) as names
from summed
