-- One id for every sighting of one connection (or of one DNS transaction).
-- In: sighting, behind, passed, going_on (key, connection_id, connection_us, end_us, ended: connections that were told before and may go
-- on in these sightings). Parameters: $open_us, sightings of one opening lie closer than this; $gap_us, a connection that was
-- not seen to open goes on after a silence of at most this.
-- Out: connection (row, key, connection_id, connection_us, end_us), row NULL for those that were told before.
-- The key is the pair of ends, whichever way round a sighting has them, with the pod in place of the Service address, the source
-- as it was before any translation, and the tunnel if it is unproven, so that forged inner addresses join no connection of those they belong to. One
-- key is many connections over time, as ports are used again: a connection begins where all sightings that began clearly
-- earlier had ended. A sighting up to $open_us before that belongs to it too (another interface, which missed the opening).
create or replace temp table connection as
with tuple as (
    select
        sighting.row,
        sighting.start_us,
        sighting.end_us,
        sighting.started,
        coalesce(passed.src_ip, sighting.src_ip) || '|' || coalesce(
            (case when passed.row is null then sighting.src_port else passed.src_port end)::varchar, ''
        ) as one,
        coalesce(reached.dst_ip, sighting.dst_nat_ip, sighting.dst_ip) || '|' || (
            case
                when reached.row is not null then reached.dst_port
                when sighting.dst_nat_ip is not null then sighting.dst_nat_port
                else sighting.dst_port
            end
        )::varchar as other,
        sighting.dst_ip || '|' as portless,
        '|' || sighting.protocol || '|' || length(sighting.cluster) || '|' || sighting.cluster || '|'
            || sighting.question || coalesce('|' || sighting.origin, '') as rest
    from sighting
    left join passed on passed.row = sighting.row
    left join behind on behind.row = sighting.row
    left join sighting as reached on reached.row = behind.backend_row
),
keyed as (
    select
        row,
        start_us,
        end_us,
        started,
        least(one, coalesce(other, portless)) || '|' || greatest(one, coalesce(other, portless)) || rest as key,
        null as told_id
    from tuple
    union all
    select null, connection_us, end_us, true, key, connection_id from going_on
),
judged as (
    select
        *,
        coalesce(
            start_us > case when started then $open_us else $gap_us end
                + max(end_us) over (
                    partition by key order by start_us range between unbounded preceding and $open_us + 1 preceding
                ),
            false
        ) as opens
    from keyed
),
parted as (
    select
        *,
        opens and coalesce(
            start_us - $open_us > lag(case when opens then start_us end ignore nulls) over (
                partition by key order by start_us, row
            ),
            true
        ) as is_first
    from judged
),
dated as (
    select
        row,
        key,
        start_us,
        end_us,
        told_id,
        max(case when is_first then start_us end) over (
            partition by key order by start_us range between unbounded preceding and $open_us following
        ) as part
    from parted
),
begun as (
    select
        row,
        key,
        end_us,
        arg_min(told_id, start_us) filter (told_id is not null) over one_connection as told_id,
        coalesce(
            min(start_us) filter (told_id is not null) over one_connection, min(start_us) over one_connection
        ) as connection_us
    from dated
    window one_connection as (partition by key, part)
)
select
    row,
    key,
    coalesce(told_id, left(md5(key || '|' || connection_us), 20)) as connection_id,
    connection_us,
    end_us
from begun
