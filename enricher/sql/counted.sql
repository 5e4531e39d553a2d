-- By which record each connection is counted, so that whoever counts need not compare records again.
-- In: completed (flows, with row). Out: row, counted, connection_records.
-- A connection is told by its nearest sighting (the order is that of the view connections) if that saw both directions, or as
-- much as any did, and knows all that the others know. One record of it tells it alone; else the first interval names it, and
-- the others are added. Where another record knows more, or has the ends the other way round, nothing is said: the view compares.
-- What was seen after its source was translated has another src: it only counts where nothing was seen before that, and the view tells.
-- distance: the order of sightings as far as it is a small number: reporter, tunnelled or not, first letter of the interface.
-- known: what a record knows as bits, fewer where it knows less, and which directions it saw as one of three.
with described as (
    select
        *,
        case reporter when 'src' then 0 when 'dst' then 256 when 'fwd' then 512 else 768 end
        + case when tunnel is null then 0 else 128 end
        + case when interface is null then 127 else least(greatest(unicode(interface), 0), 126) end as distance,
        case when src_packets > 0 and dst_packets > 0 then 1 when src_packets > 0 then 2 else 4 end
        + case when src_pod is not null then 56 when src_workload is not null then 24 when src_kind is not null then 8 else 0 end
        + case when dst_pod is not null then 448 when dst_workload is not null then 192 when dst_kind is not null then 64 else 0 end
        + case when backend_ip is not null then 1536 when backend_port is not null then 512 else 0 end
        + case when cluster is null then 0 else 2048 end
        + case when dst_domain is null then 0 else 4096 end
        + case when application is null then 0 else 8192 end
        + case when ambiguous then 16384 else 0 end
        + case opened_by when 'first_packet' then 0 else 32768 end as known,
        src_ip || ' ' || coalesce(src_port, -1) as facing,
        coalesce(src_ip = src_nat_ip and src_port is not distinct from src_nat_port, false) as is_translated
    from completed
),

gathered as (
    select
        connection_id,
        count(*) as connection_records,
        min(distance) filter (not is_translated) as least,
        bit_or(known) filter (not is_translated) as all_known,
        min(facing) filter (not is_translated) = max(facing) filter (not is_translated) as one_facing
    from described
    group by connection_id
),

nearest as (
    select
        connection_id,
        any_value(connection_records) as connection_records,
        count(*) as intervals,
        arg_min(row, {'from': start_time, 'until': end_time, 'row': row}) as first_row,
        bool_and(known = all_known) and (count(*) = 1 or (
            bool_and(known & 1 = 1)
            and count(distinct {
                'node': node, 'interface': interface, 'tunnel': tunnel, 'tunnel_id': tunnel_id, 'vlan': vlan,
                'dst_ip': dst_ip, 'dst_port': dst_port
            }) = 1
        )) as tells
    from described
    inner join gathered using (connection_id)
    where distance = least and one_facing and not is_translated
    group by connection_id
)

select
    row,
    case
        when not coalesce(tells, false) then null
        when row = first_row and intervals = 1 then 'alone'
        when row = first_row then 'first'
        when distance = least and not is_translated then 'later'
        else 'not'
    end as counted,
    case when tells then nearest.connection_records end as connection_records
from described
inner join gathered using (connection_id)
left join nearest using (connection_id)
order by row
