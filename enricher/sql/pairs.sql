-- Who may know a destination's name, and the destination: the pairs for which names are looked for.
-- In: asking (row, cluster, hearer, address, connection_us, sni), hearer NULL if unknown. Out: pair (pair, cluster, hearer, address).
create or replace temp table pair as
select row_number() over () as pair, cluster, hearer, address
from (select distinct cluster, hearer, address from asking where hearer is not null)
