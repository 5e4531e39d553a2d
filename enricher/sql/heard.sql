-- What those who may know a destination's name were told of it, answer by answer.
-- In: told, pair. Parameters: $whose answers count, by hearer: 0 those of the client itself, 1 of its workload, 2 of the
-- cluster; $slack_us, by how much an answer counts before and after its time.
-- Out: heard (pair, several, place, response_us, name, until_us): several, whether the pair has more names than one; place, its
-- number in the pair.
-- Answers that come closer to one another than they are good for overlap: with slack, those of one stretch of it are one.
create or replace temp table heard as
with known as (
    select
        pair.pair,
        told.name,
        min(told.response_us) - $slack_us as response_us,
        case when $slack_us = 0 then min(told.until_us) else max(told.until_us) + $slack_us end as until_us
    from told
    inner join pair
        on pair.cluster = told.cluster and pair.address = told.address
        and pair.hearer = case $whose when 0 then told.client_ip when 1 then told.client_owner else '' end
    group by pair.pair, told.name, told.response_us // greatest($slack_us, 1)
),
counted as (
    select pair, min(name) <> max(name) as several
    from known
    group by pair
)
select known.*, counted.several, row_number() over (partition by pair order by response_us, name desc) as place
from known
inner join counted using (pair)
