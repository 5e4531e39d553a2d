-- Each assignment once, and held no longer than what is known of the time after it allows.
-- In: told (assignments, of the lake and of a dump), seen (seen_us, kind, namespace, uid: what the readings of the cluster have).
-- Out: as assignments.
-- Where nobody wrote down an end, a pod held its address until another pod took it, and an object was gone when a reading has
-- others of its kind and namespace, and neither it nor a later one has itself.
with once as (
    select *
    from told
    qualify row_number() over (
        partition by ip, kind, uid, from_time order by until_time nulls last, host_network
    ) = 1
),

reading as (
    select distinct seen_us, kind, namespace from seen
),

last_seen as (
    select kind, uid, max(seen_us) as seen_us from seen group by kind, uid
),

gone as (
    select once.ip, once.kind, once.uid, once.from_time, min(reading.seen_us) as gone_us
    from once
    left join last_seen on last_seen.kind = once.kind and last_seen.uid = once.uid
    inner join reading
        on reading.kind = once.kind and reading.namespace is not distinct from once.namespace
        and reading.seen_us > greatest(epoch_us(once.from_time), coalesce(last_seen.seen_us, 0))
    where once.until_time is null
    group by all
),

taken as (
    select ip, uid, from_time, lead(from_time) over (partition by ip order by from_time, uid) as taken_time
    from once
    where kind = 'pod' and not host_network
)

select
    once.* replace (
        coalesce(
            once.until_time,
            least(case when taken.taken_time > once.from_time then taken.taken_time end, make_timestamptz(gone.gone_us))
        ) as until_time
    )
from once
left join gone using (ip, kind, uid, from_time)
left join taken on taken.ip = once.ip and taken.uid = once.uid and taken.from_time = once.from_time and once.kind = 'pod'
order by once.ip, once.from_time, once.uid
