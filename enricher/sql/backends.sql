-- The sighting behind a Service address: the same source to an endpoint of that Service at the same time.
-- In: sighting, place, backend. Parameter: $apart_us, how far two sightings of one packet may be apart.
-- Out: behind (row, backend_row).
-- Of the candidates the last one to start before and the first one to start after are looked at (ASOF: a source that uses
-- one port for many connections must not make a product of them), and of those that overlap the nearer one is taken.
create or replace temp table behind as
with asked as (
    select sighting.*, place.front_id as port_id
    from sighting
    inner join place on place.row = sighting.row
    where place.front_id is not null
),
reached as (
    select
        sighting.cluster,
        sighting.question,
        sighting.protocol,
        sighting.src_ip,
        sighting.src_port,
        sighting.start_us,
        backend.port_id,
        min(sighting.row) as row,
        arg_min(sighting.end_us, sighting.row) as end_us
    from sighting
    inner join (select distinct port_id, ip, port, protocol from backend) as backend
        on backend.ip = sighting.dst_ip and backend.port = sighting.dst_port and backend.protocol = sighting.protocol
    where sighting.is_known
    group by all
),
candidate as (
    select asked.row, reached.row as backend_row, asked.start_us - reached.start_us as distance_us
    from asked
    asof inner join reached
        on reached.cluster = asked.cluster and reached.question = asked.question
        and reached.protocol = asked.protocol and reached.src_ip = asked.src_ip and reached.src_port = asked.src_port
        and reached.port_id = asked.port_id and asked.start_us >= reached.start_us
    where reached.end_us >= asked.start_us - $apart_us
    union all
    select asked.row, reached.row as backend_row, reached.start_us - asked.start_us as distance_us
    from asked
    asof inner join reached
        on reached.cluster = asked.cluster and reached.question = asked.question
        and reached.protocol = asked.protocol and reached.src_ip = asked.src_ip and reached.src_port = asked.src_port
        and reached.port_id = asked.port_id and asked.start_us <= reached.start_us
    where reached.start_us <= asked.end_us + $apart_us
)
select row, arg_min(backend_row, (distance_us, backend_row)) as backend_row from candidate group by row
