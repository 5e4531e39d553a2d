-- Each assignment once, however many dumps told of it, and however often it was told live: one that says when it ended goes
-- before one that does not know yet. What is told later starts no earlier and ends no later, as the next or the previous holder of
-- the address becomes known.
with told as (
    select
        *,
        row_number() over (
            partition by cluster, ip, kind, uid
            order by until_time nulls last, from_time desc, host_network
        ) as place
    from assignment_records
)

select * exclude (place)
from told
where place = 1
