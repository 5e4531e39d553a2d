-- Records of other times that tell of the connections of a window: all of shortly before and after, and those of connections that go
-- on for longer.
-- In: flow_records (of $far_us before the window to $far_us after it). Parameters: $since_us, $until_us, the window; $near_us.
select *
from flow_records
where (epoch_us(start_time) < $since_us and (epoch_us(end_time) >= $since_us - $near_us or end_reason in ('active', 'evicted')))
    or (epoch_us(start_time) >= $until_us and (epoch_us(start_time) < $until_us + $near_us or not started))
