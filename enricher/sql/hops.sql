-- Sightings of one connection before and after one translation on its way.
-- In: translatable, tracked, behind, place, assignment. Out: hop (original_row, row).
-- Behind a Service address only what has a node's address for a source may have been translated before.
create or replace temp table hop as
select distinct row as original_row, other_row as row from translatable where other_row is not null and not is_after
union
select row, other_row from tracked where new_src and other_row is not null
union
select behind.row, behind.backend_row
from behind
inner join place on place.row = behind.row
inner join assignment on assignment.owner = place.src_owner
where assignment.kind = 'node'
