-- Each connection to an address outside the cluster, once, as counted has it. Where no Kubernetes objects tell the kind of
-- either end, outside is what is no private address: not of RFC 1918, 4193, 6598, loopback, link-local, multicast, reserved.
-- An IPv4 address within an IPv6 one (::ffff:0:0/96) is on no wire.
select *
from counted
where
    dst_kind = 'external'
    or (
        dst_kind is null
        and src_kind is null
        and not case
            when dst_ip like '%:%' then
                dst_ip in ('::', '::1')
                or dst_ip like '::ffff:%'
                or (dst_ip like '____:%' and substr(dst_ip, 1, 2) in ('fc', 'fd', 'ff'))
                or (dst_ip like '____:%' and substr(dst_ip, 1, 3) in ('fe8', 'fe9', 'fea', 'feb'))
            else
                split_part(dst_ip, '.', 1) in ('0', '10', '127')
                or dst_ip like '192.168.%'
                or dst_ip like '169.254.%'
                or (dst_ip like '172.%' and try_cast(split_part(dst_ip, '.', 2) as integer) between 16 and 31)
                or (dst_ip like '100.%' and try_cast(split_part(dst_ip, '.', 2) as integer) between 64 and 127)
                or coalesce(try_cast(split_part(dst_ip, '.', 1) as integer) >= 224, false)
        end
    )
