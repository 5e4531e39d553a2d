-- One name more at the front of each alias whose name another link had led to.
-- In: link. In and out: alias (cluster, client_ip, name, target, response_us, until_us), name the first of the chain.
update alias
set name = further.name, until_us = least(alias.until_us, further.until_us)
from (
    select alias.cluster, alias.client_ip, alias.target, alias.response_us, link.name, link.until_us
    from alias
    asof join link
        on link.cluster = alias.cluster and link.client_ip = alias.client_ip and link.target = alias.name
        and alias.response_us >= link.response_us
    where alias.response_us < link.until_us
) as further
where
    further.cluster = alias.cluster and further.client_ip = alias.client_ip
    and further.target = alias.target and further.response_us = alias.response_us
