-- Behind an address: what connection tracking told, in place of what comparing found.
-- In: behind, tracked. Out: behind.
create or replace temp table behind as
select row, backend_row from behind where row not in (select row from tracked)
union all
select row, other_row from tracked where new_dst and other_row is not null
