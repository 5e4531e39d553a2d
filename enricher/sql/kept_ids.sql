-- Which connections (or transactions) keep the id that the lake has for them.
-- In: told (row, start_us, stored_id, new_id, is_settled: the row stays as the lake has it). Out: new_id, stored_id.
-- One with settled rows keeps the id of the first of them; one whose rows are together in the lake, too, keeps theirs. An id is
-- kept by one connection only, and by none if it is the new one of another.
with candidate as (
    select
        new_id,
        case
            when bool_or(is_settled) then arg_min(stored_id, (start_us, row)) filter (where is_settled)
            when min(stored_id) = max(stored_id) then min(stored_id)
        end as stored_id,
        bool_or(is_settled) as is_settled,
        min(start_us) as start_us
    from told
    group by new_id
),

chosen as (
    select new_id, stored_id
    from candidate
    where stored_id is not null
    qualify row_number() over (partition by stored_id order by is_settled desc, start_us, new_id) = 1
)

select chosen.new_id, chosen.stored_id
from chosen
anti join candidate on candidate.new_id = chosen.stored_id
order by chosen.new_id
