-- Every DNS transaction of a batch, by the sighting that tells it.
-- In: completed, transaction_sighting.
-- Out: transactions: as completed, with decided, is_client_seen (the client's own node is in the batch), is_data (answered with what
-- was asked for), addresses, and ttl, the shortest of its answers.
create or replace temp table transactions as
select
    completed.* exclude (answers),
    sighting.decided,
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
where sighting.place = 1
