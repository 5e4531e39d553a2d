-- Each DNS transaction once: by the record that the enricher counted it by. Where it could not tell (another ingest may know
-- more): not by another node than the client's if that one was captured then; else by the sighting that saw both query and
-- response, then the one nearest to the client, which of one node is the earliest: the uplink sees neither the wait for the node
-- nor a query that the node lost.
with sightings as (
    select
        *,
        row_number() over (
            partition by transaction_id
            order by
                case outcome when 'answered' then 0 when 'unanswered' then 1 else 2 end,
                case reporter when 'src' then 0 when 'dst' then 1 when 'fwd' then 2 else 3 end,
                start_time, interface nulls last, node nulls last, server_ip, server_port, attempts desc
        ) as place
    from dns_records
    where counted is null
        and not exists (
            select 1
            from captured as nearer
            where nearer.cluster is not distinct from dns_records.cluster
                and nearer.node = dns_records.client_node and nearer.node <> dns_records.node
                and nearer.ten_minutes = epoch_us(dns_records.start_time) // 600000000
                and epoch_us(dns_records.start_time) between nearer.from_us and nearer.until_us
        )
)

select *
from dns_records
where counted
union all
select * exclude (place)
from sightings
where place = 1
