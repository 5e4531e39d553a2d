-- The resolution of every record, in the order of the rows.
-- In: transaction_sighting, resolved.
-- Out: resolution_id.
select resolved.resolution_id
from transaction_sighting as sighting
left join resolved on resolved.transaction_id = sighting.transaction_id
order by sighting.row
