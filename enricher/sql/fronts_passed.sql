-- Behind a Service address, too: what a sighting became whose source was translated with it.
-- In: passed, place, sighting, behind. Out: behind.
insert into behind
select passed.row, passed.last_row
from passed
inner join place on place.row = passed.row
inner join sighting as asked on asked.row = passed.row
inner join sighting as reached on reached.row = passed.last_row
where place.front_id is not null
    and passed.row not in (select behind.row from behind)
    and (asked.dst_ip, asked.dst_port) is distinct from (reached.dst_ip, reached.dst_port)
