-- Each connection to an address outside the cluster, once, as counted has it.
select *
from counted
where is_outside(dst_ip, dst_kind, src_kind)
