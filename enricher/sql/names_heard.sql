-- By which name those who heard of a destination knew it when a connection began.
-- In: asking, pair, heard, name_count. Parameters: $grace_us, how long after its end an answer still tells a name; $recent, among
-- how many of the latest answers other valid names are looked for; $others, how many of them are listed.
-- Out: row, name, is_valid (not only within the grace), agrees (it is the SNI), names (how many were valid), others.
-- An SNI that is one of the names tells which. Else the latest answer does, unless it has expired and an earlier one has
-- not: then the latest of those does. They are looked for only there, and only among answers that outlive the next one.
-- Where all answers have one name, there is nothing to choose.
with asked as (
    select asking.row, pair.pair, asking.connection_us, asking.sni
    from asking
    inner join pair using (cluster, hearer, address)
),
latest as (
    select
        * exclude (until_us),
        until_us as own_until_us,
        max(until_us) over (partition by pair order by place rows unbounded preceding) as until_us
    from heard
    qualify lead(response_us) over (partition by pair order by place) is distinct from response_us
),
found as (
    select asked.*, latest.* exclude (pair, response_us)
    from asked
    asof join latest on latest.pair = asked.pair and asked.connection_us >= latest.response_us
),
same_name as (
    select
        pair,
        name,
        response_us,
        max(until_us) over (partition by pair, name order by response_us rows unbounded preceding) as until_us
    from heard
    where several
),
agreed as (
    select found.row, same_name.until_us
    from (select row, pair, sni, connection_us from found where several and sni is not null) as found
    asof join same_name
        on same_name.pair = found.pair and same_name.name = found.sni
        and found.connection_us >= same_name.response_us
    where found.connection_us < same_name.until_us + $grace_us
),
outliving as (
    select *
    from heard
    where several
    qualify until_us > coalesce(lead(until_us) over (partition by pair order by place), 0)
),
earlier as (
    select missed.pair, missed.connection_us, arg_max(outliving.name, outliving.place) as name
    from (
        select distinct pair, connection_us
        from found
        where several and own_until_us <= connection_us and connection_us < until_us
    ) as missed
    inner join outliving
        on outliving.pair = missed.pair
        and outliving.response_us <= missed.connection_us and missed.connection_us < outliving.until_us
    group by missed.pair, missed.connection_us
),
counted as (
    select found.row, name_count.names
    from (select row, pair, connection_us from found where several) as found
    asof join name_count on name_count.pair = found.pair and found.connection_us >= name_count.from_us
),
chosen as (
    select
        found.row,
        found.pair,
        found.connection_us,
        found.place,
        coalesce(counted.names, case when found.connection_us < found.until_us then 1 else 0 end) as names,
        agreed.row is not null or coalesce(not found.several and found.sni = found.name, false) as agrees,
        case when agreed.row is not null then found.sni else coalesce(earlier.name, found.name) end as name,
        coalesce(agreed.until_us, found.until_us) as until_us
    from found
    left join agreed using (row)
    left join counted using (row)
    left join earlier using (pair, connection_us)
),
named as (
    select * exclude (until_us), connection_us < until_us as is_valid
    from chosen
    where connection_us < until_us + $grace_us
),
recent as (
    select pair, connection_us, unnest(range(greatest(place - $recent, 0) + 1, place + 1)) as place
    from (select distinct pair, connection_us, place from named where names > case when is_valid then 1 else 0 end)
),
rival as (
    select recent.pair, recent.connection_us, heard.name, max(heard.place) as place
    from recent
    inner join heard using (pair, place)
    where recent.connection_us < heard.until_us
    group by recent.pair, recent.connection_us, heard.name
),
rivals as (
    select pair, connection_us, list(name order by place desc) as names
    from rival
    group by pair, connection_us
)
select
    named.row,
    named.name,
    named.is_valid,
    named.agrees,
    named.names,
    nullif(list_filter(rivals.names, lambda other: other <> named.name)[1:$others], []) as others
from named
left join rivals using (pair, connection_us)
order by named.row
