-- question: Which registered domains, rare and new, are spelt almost as one that is often asked for?
-- grain: one row a rare domain and a frequent one, those that lead somewhere first
-- read by: tailrace detect
-- parameter namespace text null: namespace of the client of the rare one
-- parameter workload text null: workload of the client of the rare one
-- parameter often integer 20: fewest resolutions of the frequent one; a quarter, where the two look alike
-- parameter times integer 20: how many times as often it is asked for as the rare one; a tenth, where they look alike
-- parameter least_length integer 5: fewest characters of its label; 8 are needed for two edits
with asked as (
    select
        registered_domain,
        client_namespace,
        coalesce(client_workload, client_ip) as client_name,
        count(*) as resolutions,
        count(*) filter (where outcome = 'answered') as answered,
        coalesce(sum(connections), 0) as connections,
        min(asked) as example,
        min(start_time) as first_seen,
        max(start_time) as last_seen
    from resolutions
    where not forwarded and registered_domain not like '%.arpa'
    group by registered_domain, client_namespace, client_name
),

domains as (
    select
        registered_domain,
        split_part(registered_domain, '.', 1) as label,
        cast(sum(resolutions) as bigint) as resolutions,
        cast(sum(answered) as bigint) as answered,
        cast(sum(connections) as bigint) as connections,
        count(*) as clients,
        min(coalesce(client_namespace || '/', '') || client_name) as client,
        count(*) filter (
            where
                ($namespace is null or client_namespace = $namespace)
                and ($workload is null or client_name = $workload)
        ) as selected,
        min(example) as example,
        min(first_seen) as first_seen,
        max(last_seen) as last_seen
    from asked
    group by registered_domain, label
),

-- Spelling: without what Punycode (RFC 3492) puts around letters of ASCII. Folded: what looks alike is the same.
spelt as (
    select
        registered_domain,
        label,
        resolutions,
        selected,
        first_seen,
        substr(registered_domain, length(label) + 2) as suffix,
        case
            when label like 'xn--%-%' then regexp_replace(substr(label, 5), '-[^-]*$', '')
            else label
        end as spelling,
        replace(replace(translate(label, '015', 'ols'), 'rn', 'm'), 'vv', 'w') as folded,
        translate(label, '0123456789', '') as letters
    from domains
    where selected > 0 or resolutions * 4 >= $often
),

-- The places of its characters, and one behind them.
places as (
    select registered_domain, unnest(range(1, length(spelling) + 2)) as place
    from spelt
),

-- Who resembles another shares one of these with it, so that not each is compared with every other: the folded label; for one
-- edit, what is left without one character; for two of the same letters, the length and the characters that do not occur.
pieces as (
    select *, 'folded' as kind, folded as piece
    from spelt
    union all
    select spelt.*, 'shortened' as kind, substr(spelling, 1, place - 1) || substr(spelling, place + 1) as piece
    from spelt
    inner join places on spelt.registered_domain = places.registered_domain
    union all
    select
        *,
        'letters' as kind,
        length(spelling) || ' ' || translate('abcdefghijklmnopqrstuvwxyz0123456789-', spelling, '') as piece
    from spelt
),

compared as (
    select distinct
        rare.registered_domain,
        often.registered_domain as resembles,
        rare.folded = often.folded as looks_alike,
        levenshtein(rare.spelling, often.spelling) as edits,
        -- Two edits of other letters make another word as often as not; of the same ones, a slip.
        translate(rare.spelling, often.spelling, '') = ''
        and translate(often.spelling, rare.spelling, '') = ''
        and length(rare.spelling) = length(often.spelling)
        and length(often.label) >= 8 as swapped
    from pieces as rare
    inner join pieces as often on rare.suffix = often.suffix and rare.kind = often.kind and rare.piece = often.piece
    where
        rare.selected > 0
        and length(often.label) >= $least_length
        and abs(length(rare.spelling) - length(often.spelling)) <= 2
        and often.resolutions * 4 >= $often
        and rare.resolutions * $times <= often.resolutions * 10
        and (
            rare.folded = often.folded
            or (
                rare.letters <> often.letters
                and often.resolutions >= $often
                and rare.resolutions * $times <= often.resolutions
                and rare.first_seen > often.first_seen
            )
        )
)

select
    rare.registered_domain,
    rare.example,
    rare.client,
    rare.clients,
    rare.resolutions,
    rare.answered,
    rare.connections,
    rare.first_seen,
    rare.last_seen,
    compared.resembles,
    often.resolutions as resembles_resolutions,
    often.clients as resembles_clients,
    compared.looks_alike,
    compared.edits,
    compared.swapped
from compared
inner join domains as rare on compared.registered_domain = rare.registered_domain
inner join domains as often on compared.resembles = often.registered_domain
where compared.looks_alike or compared.edits = 1 or (compared.edits = 2 and compared.swapped)
order by rare.answered = 0, compared.looks_alike desc, compared.edits, rare.registered_domain, compared.resembles
