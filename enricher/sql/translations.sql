-- What tuples became on the way, from when on.
-- In: hop, tracked, tupled, sighting, translated_before (what was told before: translation without rows).
-- Parameter: $apart_us, how far two sightings of one packet may be apart.
-- Out: translation (tuple, the translated one; original, the one before it; from_us; end_us; src_ip, src_port, the source before any
-- translation; nat_ip, nat_port, the source after this one; last_row, a sighting of what it became in the end).
-- The node that a connection is sent to may translate it once more (a node port), so a step further is followed to either side.
create or replace temp table translation as
with step as (
    select
        after.tuple, before.tuple as original, after.start_us as from_us, greatest(after.end_us, before.end_us) as end_us,
        original.src_ip, original.src_port, translated.src_ip as nat_ip, translated.src_port as nat_port,
        hop.row as last_row
    from hop
    inner join tupled as before on before.row = hop.original_row
    inner join tupled as after on after.row = hop.row
    inner join sighting as original on original.row = hop.original_row
    inner join sighting as translated on translated.row = hop.row
    union all
    select
        tracked.tuple, tupled.tuple, tupled.start_us, tupled.end_us, sighting.src_ip, sighting.src_port,
        tracked.nat_ip, tracked.nat_port, null
    from tracked
    inner join tupled on tupled.row = tracked.row
    inner join sighting on sighting.row = tracked.row
    where tracked.new_src and tracked.other_row is null
    union all
    select tuple, original, from_us, end_us, src_ip, src_port, nat_ip, nat_port, null from translated_before
),
begun as (
    select step.*, earlier.src_ip as first_ip, earlier.src_port as first_port, earlier.from_us as first_us
    from step
    asof left join step as earlier on earlier.tuple = step.original and step.from_us + $apart_us >= earlier.from_us
),
followed as (
    select begun.*, later.last_row as later_row, later.from_us as later_us
    from begun
    asof left join step as later on later.original = begun.tuple and begun.from_us + $apart_us >= later.from_us
)
select
    tuple,
    original,
    from_us,
    end_us,
    case when first_us >= from_us - $apart_us then first_ip else src_ip end as src_ip,
    case when first_us >= from_us - $apart_us then first_port else src_port end as src_port,
    nat_ip,
    nat_port,
    case when later_us >= from_us - $apart_us then later_row else last_row end as last_row
from followed
