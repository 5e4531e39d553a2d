-- For which name a client was told an address, by an answer that has both.
-- In: answer_record. Out: told (cluster, client_ip, client_owner, address, response_us, name, until_us).
-- The addresses of HTTPS and SVCB records are their hints (RFC 9460 §7.3), whatever their target is called. Their other values
-- are quoted where a stranger chooses them, and go first, so that no hint is read out of one.
create or replace temp table told as
with service as (
    select
        * exclude (data),
        regexp_replace(regexp_extract(data, '^\d+ \S+ (.*)$', 1), '"(\\.|[^"\\])*"', '', 'g') as parameters
    from answer_record
    where type in ('HTTPS', 'SVCB')
),
hinted as (
    select
        * exclude (parameters),
        unnest(
            string_split(regexp_extract(parameters, '(?:^| )ipv4hint=(\S+)', 1), ',')
            || string_split(regexp_extract(parameters, '(?:^| )ipv6hint=(\S+)', 1), ',')
        ) as data
    from service
)
select cluster, client_ip, client_owner, response_us, name, until_us, data as address
from answer_record
where type in ('A', 'AAAA')
union all
select cluster, client_ip, client_owner, response_us, name, until_us, data
from hinted
where data <> ''
