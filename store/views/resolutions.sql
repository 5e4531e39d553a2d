-- Each resolution once: as the enricher told it; where another ingest may know more, as the one told it that knows
-- most, the client's own node before others.
with told as (
    select
        *,
        row_number() over (
            partition by resolution_id
            order by transactions desc, connections desc nulls last, unanswered, start_time, client_ip, asked
        ) as place
    from resolution_records
    where counted is null
        and not exists (
            select 1
            from captured as nearer
            where nearer.cluster is not distinct from resolution_records.cluster
                and nearer.node = resolution_records.client_node and nearer.node <> resolution_records.node
                and nearer.ten_minutes = epoch_us(resolution_records.start_time) // 600000000
                and epoch_us(resolution_records.start_time) between nearer.from_us and nearer.until_us
        )
)

select *
from resolution_records
where counted
union all
select * exclude (place)
from told
where place = 1
