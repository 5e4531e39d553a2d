-- What sightings became, where the node's connection tracking told it.
-- In: sighting, timeline. Parameter: $apart_us, how far two sightings of one packet may be apart.
-- Out: tracked (row; nat_ip, nat_port, the source afterwards; tuple, as in tupled; new_src, new_dst, which of both was translated;
-- dst_owner, dst_ambiguous: who is behind a new destination; other_row, a sighting afterwards, NULL if there is none).
create or replace temp table tracked as
with told as (
    select
        row, cluster, question, protocol, origin, is_known, start_us,
        coalesce(src_nat_ip, src_ip) as src_ip,
        case when src_nat_ip is null then src_port else src_nat_port end as src_port,
        coalesce(dst_nat_ip, dst_ip) as dst_ip,
        case when dst_nat_ip is null then dst_port else dst_nat_port end as dst_port,
        src_nat_ip is not null as new_src,
        dst_nat_ip is not null as new_dst
    from sighting
    where src_nat_ip is not null or dst_nat_ip is not null
),
seen as (
    select *, coalesce(src_port, -1) as from_port, coalesce(dst_port, -1) as to_port
    from sighting
    where src_ip in (select src_ip from told)
)
select
    told.row,
    told.src_ip as nat_ip,
    told.src_port as nat_port,
    concat_ws(
        '|', told.src_ip, coalesce(told.src_port, -1)::varchar, told.dst_ip, coalesce(told.dst_port, -1)::varchar,
        told.protocol::varchar, length(told.cluster)::varchar, told.cluster, told.question, coalesce(told.origin, '')
    ) as tuple,
    told.new_src,
    told.new_dst,
    timeline.owner as dst_owner,
    coalesce(timeline.ambiguous, false) as dst_ambiguous,
    case when seen.end_us >= told.start_us - $apart_us then seen.row end as other_row
from told
left join timeline
    on told.is_known and told.new_dst
    and timeline.ip = told.dst_ip and timeline.from_us <= told.start_us and told.start_us < timeline.until_us
asof left join seen
    on seen.cluster = told.cluster and seen.question = told.question and seen.protocol = told.protocol
    and seen.src_ip = told.src_ip and seen.from_port = coalesce(told.src_port, -1)
    and seen.dst_ip = told.dst_ip and seen.to_port = coalesce(told.dst_port, -1)
    and told.start_us + $apart_us >= seen.start_us
