-- Addresses that a client was told for the target of an alias, by the name that led it there.
-- In: told, alias. Out: told, changed.
-- Asked for while the alias was valid, the target was asked for because of it. Where the client knew the target's addresses
-- already, they are the name's too from the alias on.
create or replace temp table told as
with sought as (
    select told.*
    from told
    semi join alias
        on alias.cluster = told.cluster and alias.client_ip = told.client_ip and alias.target = told.name
),
followed as (
    select sought.*, alias.name as first_name, least(sought.until_us, alias.until_us) as first_until_us
    from sought
    asof join alias
        on alias.cluster = sought.cluster and alias.client_ip = sought.client_ip and alias.target = sought.name
        and sought.response_us >= alias.response_us
    where sought.response_us < alias.until_us
),
answered as (
    select
        cluster, client_ip, name, response_us,
        any_value(client_owner) as client_owner,
        list({'address': address, 'until_us': until_us}) as addresses
    from sought
    group by cluster, client_ip, name, response_us
),
remembered as (
    select
        alias.cluster, alias.client_ip, alias.response_us, alias.name, alias.until_us,
        answered.client_owner,
        unnest(answered.addresses) as known
    from alias
    asof join answered
        on answered.cluster = alias.cluster and answered.client_ip = alias.client_ip and answered.name = alias.target
        and alias.response_us >= answered.response_us
)
select cluster, client_ip, client_owner, response_us, name, until_us, address
from told
anti join followed using (cluster, client_ip, address, response_us, name)
union all
select cluster, client_ip, client_owner, response_us, first_name, first_until_us, address
from followed
union all
select cluster, client_ip, client_owner, response_us, name, least(until_us, known.until_us), known.address
from remembered
where known.until_us > response_us
