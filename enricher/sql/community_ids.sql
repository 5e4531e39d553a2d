-- Community ID version 1, seed 0, computed once per distinct tuple, in the order of the rows.
-- In: flow (row, src_ip, src_port, dst_ip, dst_port, protocol, icmp_type, icmp_code), address (ip, digits).
-- Out: row, community_id: NULL where a port or type is unknown, or the protocol has no ports here.
-- ICMP types that ask and answer stand for ports, so that both directions get one id; others keep their direction.
with answer (protocol, type, answered_by) as (
    values
    (1, 0, 8), (1, 8, 0), (1, 9, 10), (1, 10, 9), (1, 13, 14), (1, 14, 13), (1, 15, 16), (1, 16, 15), (1, 17, 18),
    (1, 18, 17), (58, 128, 129), (58, 129, 128), (58, 130, 131), (58, 131, 130), (58, 133, 134), (58, 134, 133),
    (58, 135, 136), (58, 136, 135), (58, 139, 140), (58, 140, 139), (58, 144, 145), (58, 145, 144)
),
tuple as (
    select distinct src_ip, src_port, dst_ip, dst_port, protocol, icmp_type, icmp_code from flow
),
ported as (
    select
        tuple.*,
        src.digits as src,
        dst.digits as dst,
        case when tuple.protocol in (1, 58) then tuple.icmp_type else tuple.src_port end as one,
        case
            when tuple.protocol in (1, 58) then coalesce(answer.answered_by, tuple.icmp_code)
            else tuple.dst_port
        end as other,
        tuple.protocol in (1, 58) and answer.type is null as is_one_way
    from tuple
    inner join address as src on src.ip = tuple.src_ip
    inner join address as dst on dst.ip = tuple.dst_ip
    left join answer on answer.protocol = tuple.protocol and answer.type = tuple.icmp_type
    where tuple.protocol in (1, 6, 17, 58, 132)
),
ordered as (
    select *, is_one_way or src < dst or (src = dst and one < other) as is_ordered
    from ported
    where one is not null and other is not null and length(src) = length(dst)
),
hashed as (
    select
        *,
        '1:' || base64(unhex(sha1(unhex(case
            when is_ordered then format('0000{}{}{:02x}00{:04x}{:04x}', src, dst, protocol, one, other)
            else format('0000{}{}{:02x}00{:04x}{:04x}', dst, src, protocol, other, one)
        end)))) as community_id
    from ordered
)
select flow.row, hashed.community_id
from flow
left join hashed
    on hashed.src_ip = flow.src_ip and hashed.dst_ip = flow.dst_ip and hashed.protocol = flow.protocol
    and hashed.src_port is not distinct from flow.src_port and hashed.dst_port is not distinct from flow.dst_port
    and hashed.icmp_type is not distinct from flow.icmp_type and hashed.icmp_code is not distinct from flow.icmp_code
order by flow.row
