-- question: Which clusters were recorded?
-- grain: one row a cluster; NULL for captures that were ingested without the name of one
-- read by: tailrace ask, the doctor, the detections, the app
select
    cluster,
    min(from_time) as from_time,
    max(until_time) as until_time,
    cast(sum(packets) as bigint) as packets
from coverage
group by cluster
order by cluster nulls last
