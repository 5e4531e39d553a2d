-- What is counted of a batch beside what the lake has of the same transactions, or resolutions, already.
-- In: written (row, id, counted): the batch. there (id, counted): records of the lake.
-- Out: counted, in the order of the rows.
-- What the lake has decided is told. What it left undecided is left so here, too: the view compares.
with known as (
    select id, bool_or(counted is not null) as is_decided from there group by id
)

select case when known.is_decided then false when known.id is null then written.counted end as counted
from written
left join known using (id)
order by written.row
