-- question: Did these clients ask for anything at all?
-- grain: one row if they did, none if not
-- read by: the DNS doctor and the detections, which judge nothing of nobody
-- parameter namespace text null: namespace of the client
-- parameter workload text null: workload of the client
select true as asked
from dns_records
where ($namespace is null or client_namespace = $namespace) and ($workload is null or client_workload = $workload)
limit 1
