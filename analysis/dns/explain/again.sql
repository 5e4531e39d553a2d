-- question: When did a client ask for a name the next time?
-- grain: one row, or none
-- read by: tailrace dns explain
-- parameter asked text required: name that was given to the resolver
-- parameter client_ip text required: address of the client
-- parameter after time required: when it asked before
select min(start_time) as again_time
from resolutions
where asked = $asked and client_ip = $client_ip and start_time > $after
having count(*) > 0
order by again_time
