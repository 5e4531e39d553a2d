-- What clients were told that may still name a destination: the latest answer of each name.
-- In: told. Parameters: $grace_us, how long after its end an answer still tells a name; $most, how many are kept, the latest.
-- Out: as told.
with newest as (
    select max(response_us) as response_us from told
)

select
    told.cluster,
    told.client_ip,
    told.client_owner,
    max(told.response_us) as response_us,
    told.name,
    max(told.until_us) as until_us,
    told.address
from told
cross join newest
group by told.cluster, told.client_ip, told.client_owner, told.name, told.address, newest.response_us
having max(told.until_us) + $grace_us > newest.response_us
order by max(told.response_us) desc, told.cluster, told.client_ip, told.client_owner, told.name, told.address
limit $most
