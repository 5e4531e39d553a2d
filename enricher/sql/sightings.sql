-- The sightings, those apart in which anybody may have written the inner addresses.
-- In: reported (is_tunnelled, tunnel, tunnel_id, tunnel_src_ip, tunnel_dst_ip, ...), timeline, assignment.
-- Out: sighting: what was reported, and origin: the tunnel of an unproven sighting, else NULL.
-- A pod can send a tunnel packet with any addresses inside. Only what goes from node to node is the cluster's own tunnel;
-- of any other nothing is known, and it is a connection apart.
create or replace temp table sighting as
with node_span as (
    select timeline.ip, timeline.from_us, timeline.until_us
    from timeline
    inner join assignment on assignment.owner = timeline.owner
    where assignment.kind = 'node'
),
proven as (
    select reported.row
    from reported
    inner join node_span as src
        on src.ip = reported.tunnel_src_ip and src.from_us <= reported.start_us and reported.start_us < src.until_us
    inner join node_span as dst
        on dst.ip = reported.tunnel_dst_ip and dst.from_us <= reported.start_us and reported.start_us < dst.until_us
    where reported.is_tunnelled
),
judged as (
    select reported.*, reported.is_known and reported.is_tunnelled and proven.row is null as is_unproven
    from reported
    left join proven on proven.row = reported.row
)
select
    * exclude (is_known, is_unproven, tunnel, tunnel_id, tunnel_src_ip, tunnel_dst_ip),
    is_known and not is_unproven as is_known,
    case
        when is_unproven
            then concat_ws(
                '|',
                tunnel,
                coalesce(tunnel_id::varchar, ''),
                least(coalesce(tunnel_src_ip, ''), coalesce(tunnel_dst_ip, '')),
                greatest(coalesce(tunnel_src_ip, ''), coalesce(tunnel_dst_ip, ''))
            )
    end as origin
from judged
