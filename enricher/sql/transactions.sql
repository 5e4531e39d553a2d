-- Every DNS transaction of a batch, by the sighting that tells it.
-- In: completed, transaction_sighting.
-- Out: transactions: as completed, with decided, is_client_seen (the client's own node is in the batch), is_data (answered with what
-- was asked for), addresses, ttl, the shortest of its answers, and served_us, until_us: when the server had it, by the clock of
-- its own node, or of the sighting if that did not see it.
create or replace temp table transactions as
with served as (
    select transaction_id, min(start_us) as served_us, max(end_us) as until_us
    from completed
    where node = server_node
    group by transaction_id
)

select
    completed.* exclude (answers),
    sighting.decided,
    coalesce(served.served_us, completed.start_us) as served_us,
    coalesce(served.until_us, completed.end_us) as until_us,
    coalesce(completed.client_node in (select node from completed), true) as is_client_seen,
    coalesce(
        completed.rcode = 'NOERROR'
        and len(list_filter(completed.answers, lambda answer: answer.type = completed.qtype)) > 0, false
    ) as is_data,
    case when completed.rcode = 'NOERROR' then list_distinct(list_transform(
        list_filter(completed.answers, lambda answer: answer.type in ('A', 'AAAA')), lambda answer: answer.data
    )) end as addresses,
    case when completed.rcode = 'NOERROR' then list_min(list_transform(completed.answers, lambda answer: answer.ttl)) end
        as ttl
from completed
inner join transaction_sighting as sighting on sighting.row = completed.row
left join served on served.transaction_id = completed.transaction_id
where sighting.place = 1
