-- The answers of the lake's last records, as domains reads them, for an enricher that starts.
-- In: dns_records. Out: row, cluster, client_ip, client_owner, qname, response_us, rcode, answers.
select
    row_number() over () as row,
    coalesce(cluster, '') as cluster,
    client_ip,
    client_namespace || '/' || client_workload_kind || '/' || client_workload as client_owner,
    qname,
    epoch_us(response_time) as response_us,
    rcode,
    answers
from dns_records
where response_time is not null and rcode = 'NOERROR'
