-- Transactions of other times that name the addresses of a window, the latest where they are too many, and of its resolutions.
-- In: dns_records (from as long before the window as a name is told to shortly after it). Parameters: $since_us, $until_us, the
-- window; $most, how many of before it.
(
    select *
    from dns_records
    where epoch_us(start_time) < $since_us
    order by start_time desc, transaction_id
    limit $most
)
union all
select *
from dns_records
where epoch_us(start_time) >= $until_us
