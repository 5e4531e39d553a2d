-- Community ID version 1, seed 0, in the order of the rows.
-- Computed for every row: joining distinct tuples back on their nullable columns took DuckDB 2.0 28 s for 20,000 rows.
-- In: flow (row, src_ip, src_port, dst_ip, dst_port, protocol, icmp_type, icmp_code), address (ip, digits).
-- Out: row, community_id: NULL where a port or type is unknown, or the protocol has no ports here.
-- ICMP types that ask and answer stand for ports, so that both directions get one id; others keep their direction.
with answer (protocol, type, answered_by) as (
    values
    (1, 0, 8), (1, 8, 0), (1, 9, 10), (1, 10, 9), (1, 13, 14), (1, 14, 13), (1, 15, 16), (1, 16, 15), (1, 17, 18),
    (1, 18, 17), (58, 128, 129), (58, 129, 128), (58, 130, 131), (58, 131, 130), (58, 133, 134), (58, 134, 133),
    (58, 135, 136), (58, 136, 135), (58, 139, 140), (58, 140, 139), (58, 144, 145), (58, 145, 144)
),
ported as (
    select
        flow.*,
        src.digits as src,
        dst.digits as dst,
        case when flow.protocol in (1, 58) then flow.icmp_type else flow.src_port end as one,
        case
            when flow.protocol in (1, 58) then coalesce(answer.answered_by, flow.icmp_code)
            else flow.dst_port
        end as other,
        flow.protocol in (1, 58) and answer.type is null as is_one_way
    from flow
    inner join address as src on src.ip = flow.src_ip
    inner join address as dst on dst.ip = flow.dst_ip
    left join answer on answer.protocol = flow.protocol and answer.type = flow.icmp_type
),
judged as (
    select
        *,
        is_one_way or src < dst or (src = dst and one < other) as is_ordered,
        protocol in (1, 6, 17, 58, 132) and one is not null and other is not null and length(src) = length(dst) as has_id
    from ported
)
select
    row,
    case
        when has_id then '1:' || base64(unhex(sha1(unhex(case
            when is_ordered then format('0000{}{}{:02x}00{:04x}{:04x}', src, dst, protocol, one, other)
            else format('0000{}{}{:02x}00{:04x}{:04x}', dst, src, protocol, other, one)
        end))))
    end as community_id
from judged
order by row
