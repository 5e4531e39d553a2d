-- How many records begin in each second, to part them into windows.
-- In: flow_records, dns_records. Out: second, records.
select epoch_us(start_time) // 1000000 as second, count(*) as records
from (
    select start_time from flow_records
    union all
    select start_time from dns_records
)
group by second
order by second
