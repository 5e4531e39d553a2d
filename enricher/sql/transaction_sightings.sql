-- Which sighting tells each DNS transaction, in the order of sightings that the view dns has.
-- In: completed (dns with row, cluster, client, server, start_us, end_us).
-- Parameter: $edge_us, how near to an end of the batch another one may know more.
-- Out: transaction_sighting (row, transaction_id, place, decided).
-- The client's own node tells a transaction, the server's where the client is not of the cluster. It is decided where that node
-- is in the batch.
create or replace temp table transaction_sighting as
with node as (
    select distinct node from completed
),

span as (
    select min(start_us) + $edge_us as from_us, max(start_us) - $edge_us as until_us from completed
)

select
    completed.row,
    completed.transaction_id,
    row_number() over (
        partition by completed.transaction_id
        order by
            case completed.outcome when 'answered' then 0 when 'unanswered' then 1 else 2 end,
            case completed.reporter when 'src' then 0 when 'dst' then 1 when 'fwd' then 2 else 3 end,
            completed.start_us, completed.interface nulls last, completed.node nulls last, completed.server_ip,
            completed.server_port, completed.attempts desc, completed.row
    ) as place,
    bool_and(
        completed.start_us between span.from_us and span.until_us
        and coalesce(coalesce(completed.client_node, completed.server_node) in (select node from node), true)
    ) over (partition by completed.transaction_id) as decided
from completed
cross join span
