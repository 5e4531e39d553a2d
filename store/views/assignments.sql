-- Each assignment once, however many dumps told of it; one that says when it ended goes before one that does not know yet.
with told as (
    select
        *,
        row_number() over (
            partition by cluster, ip, kind, uid, from_time
            order by until_time nulls last, host_network
        ) as place
    from assignment_records
)

select * exclude (place)
from told
where place = 1
