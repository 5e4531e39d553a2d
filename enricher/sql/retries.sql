-- Which truncated answer over UDP a query over TCP asks for again (RFC 7766 §5): the latest one of the same client, server and question.
-- In: truncated and repeated (row, cluster, client_ip, server_ip, qname, qtype, at_us, transaction_id); wait_us.
-- Out: row, retry_of: the same for every sighting of a transaction, though behind a Service not each shows the same server.
with found as (
    select repeated.transaction_id, max_by(truncated.transaction_id, truncated.at_us) as retry_of
    from repeated
    inner join truncated using (cluster, client_ip, server_ip, qname, qtype)
    where repeated.at_us between truncated.at_us and truncated.at_us + $wait_us
    group by repeated.transaction_id
)

select repeated.row, found.retry_of
from repeated
inner join found using (transaction_id)
