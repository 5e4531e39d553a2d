-- What is said of each resolution, in the order of its first query.
-- In: resolved, connected (cluster, node, src_ip, dst_ip, start_us, connection_id, failed, application).
-- Parameters: $until_us, the end of the batch; $horizon_us, within what time a client connects; $stall_us, a wait of a resolver
-- rather than of a server; $most, addresses kept.
-- The step that answered is needed; where none did, the name as it stands, or the last. All other steps are waste.
-- A connection belongs to the latest resolution that gave its client the address. Where only DNS was captured, none can be seen.
with stepped as (
    select
        resolution_id, suffix,
        min(place) as place,
        bool_or(is_data) as is_data,
        min(start_us) as start_us,
        max(end_us) as end_us,
        case when bool_or(outcome = 'answered') then greatest(
            max(end_us) filter (where outcome = 'answered'), max(start_us) filter (where outcome = 'unanswered')
        ) end as response_us,
        count(*) as transactions,
        sum(attempts) as queries,
        count(distinct qtype) as types,
        count(*) filter (where outcome = 'unanswered') as unanswered,
        count(*) filter (where rcode in ('NOERROR', 'NXDOMAIN')) as negative,
        count(*) filter (where rcode = 'NXDOMAIN') as nxdomain,
        coalesce(
            max(rcode) filter (where rcode not in ('NOERROR', 'NXDOMAIN')),
            max(rcode) filter (where outcome = 'answered')
        ) as rcode,
        count(*) filter (where transport = 'tcp') as over_tcp
    from resolved
    group by resolution_id, suffix
),

needed as (
    select *
    from stepped
    qualify row_number() over (
        partition by resolution_id order by is_data desc, case when is_data then place else suffix <> '.' end, place desc
    ) = 1
),

summed as (
    select
        resolution_id,
        list(suffix order by start_us, place, suffix) as suffixes,
        min(start_us) as start_us,
        max(end_us) as end_us,
        sum(transactions) as transactions,
        sum(queries) as queries,
        sum(types) as questions,
        sum(unanswered) as unanswered,
        sum(over_tcp) as over_tcp
    from stepped
    group by resolution_id
),

wasted as (
    select stepped.resolution_id, sum(stepped.queries) as queries, sum(stepped.end_us - stepped.start_us) as us
    from stepped
    inner join needed on needed.resolution_id = stepped.resolution_id and needed.suffix <> stepped.suffix
    group by stepped.resolution_id
),

paired as (
    select
        resolution_id, client_port, suffix, qtype,
        outcome = 'answered' and end_us < $stall_us + min(start_us) over (
            partition by resolution_id, client_port, suffix
        ) as is_prompt
    from resolved
    where qtype in ('A', 'AAAA') and transport = 'udp'
),

halved as (
    select resolution_id
    from paired
    group by resolution_id, client_port, suffix
    having count(distinct qtype) = 2 and count(distinct qtype) filter (where is_prompt) = 1
),

lost as (
    select resolution_id, count(*) as pairs from halved group by resolution_id
),

described as (
    select
        resolution_id,
        arg_min(row, {'at': start_us, 'row': row}) as row,
        bool_and(decided) as decided,
        array_to_string(list_sort(list(distinct qtype)), ',') as qtypes,
        count(*) filter (where tc) as truncated,
        list_slice(list_sort(list_distinct(flatten(list(addresses)))), 1, $most) as addresses,
        min(ttl) filter (where len(addresses) > 0) as ttl
    from resolved
    group by resolution_id
),

given as (
    select distinct resolution_id, cluster, client_ip, unnest(addresses) as address, end_us
    from resolved
    where len(addresses) > 0
),

used as (
    select given.resolution_id, connected.connection_id, bool_and(connected.failed) as failed
    from connected
    asof join given
        on given.cluster = connected.cluster and given.client_ip = connected.src_ip and given.address = connected.dst_ip
        and connected.start_us >= given.end_us
    group by given.resolution_id, connected.connection_id
),

connecting as (
    select distinct cluster, node from connected where application is distinct from 'dns'
),

connections as (
    select resolution_id, count(*) as connections, count(*) filter (where failed) as failed
    from used
    group by resolution_id
)

select
    described.row,
    len(described.addresses) > 0 and (connections.connections is not null or (
        resolved.is_client_seen and connecting.node is not null and summed.end_us <= $until_us - $horizon_us
    )) as is_known,
    summed.start_us,
    summed.end_us,
    described.resolution_id,
    case when described.decided then true end as counted,
    resolved.asked,
    described.qtypes,
    summed.suffixes,
    case when needed.is_data then needed.suffix end as answered_suffix,
    case
        when needed.is_data then 'answered'
        when needed.unanswered > 0 then 'unanswered'
        when needed.negative < needed.transactions then 'failed'
        when needed.nxdomain > 0 then 'nxdomain'
        else 'no_data'
    end as outcome,
    needed.rcode,
    needed.response_us - summed.start_us as duration_us,
    summed.transactions,
    cast(summed.queries as bigint) as queries,
    cast(coalesce(wasted.queries, 0) as bigint) as wasted_queries,
    cast(coalesce(wasted.us, 0) as bigint) as wasted_us,
    cast(greatest(summed.queries - summed.questions - summed.over_tcp, 0) as bigint) as retries,
    cast(summed.unanswered as bigint) as unanswered,
    coalesce(lost.pairs, 0) as lost_of_pair,
    described.truncated,
    cast(summed.over_tcp as bigint) as over_tcp,
    case when len(described.addresses) > 0 then described.addresses end as addresses,
    described.ttl,
    case when is_known then coalesce(connections.connections, 0) end as connections,
    case when is_known then coalesce(connections.failed, 0) end as failed_connections
from described
inner join summed using (resolution_id)
inner join needed using (resolution_id)
inner join resolved on resolved.row = described.row
left join connecting on connecting.cluster = resolved.cluster and connecting.node = coalesce(resolved.node, '')
left join wasted using (resolution_id)
left join lost using (resolution_id)
left join connections using (resolution_id)
order by summed.start_us, described.row
