-- Whether an end of a connection is outside the cluster. Where no Kubernetes objects tell the kind of either end, outside is
-- what is no private address: not of RFC 1918, 4193, 6598, loopback, link-local, multicast, reserved.
-- An IPv4 address within an IPv6 one (::ffff:0:0/96) is on no wire.
case
    when kind is not null then kind = 'external'
    when other_kind is not null then false
    when ip like '%:%' then
        not (
            ip in ('::', '::1')
            or ip like '::ffff:%'
            or (ip like '____:%' and substr(ip, 1, 2) in ('fc', 'fd', 'ff'))
            or (ip like '____:%' and substr(ip, 1, 3) in ('fe8', 'fe9', 'fea', 'feb'))
        )
    else
        not (
            split_part(ip, '.', 1) in ('0', '10', '127')
            or ip like '192.168.%'
            or ip like '169.254.%'
            or (ip like '172.%' and try_cast(split_part(ip, '.', 2) as integer) between 16 and 31)
            or (ip like '100.%' and try_cast(split_part(ip, '.', 2) as integer) between 64 and 127)
            or coalesce(try_cast(split_part(ip, '.', 1) as integer) >= 224, false)
        )
end
