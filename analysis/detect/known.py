"""Registered domains that ask and answer in names by design, and so look like an attack of which they are none.

Whoever would use one of them for a tunnel had to run its name servers: to leave them out loses nothing else.
"""

# Files, addresses and mail looked up by hash or by address (RFC 5782 and its like): reputation and block lists.
LOOKUPS = frozenset(
    {
        "abuseat.org",
        "barracudacentral.org",
        "cymru.com",
        "dnswl.org",
        "e5.sk",
        "mailspike.net",
        "mcafee.com",
        "njabl.org",
        "senderbase.org",
        "sophosxl.com",
        "sophosxl.net",
        "sorbs.net",
        "spamcop.net",
        "spamhaus.net",
        "spamhaus.org",
        "surbl.org",
        "trendmicro.com",
        "uceprotect.net",
        "uribl.com",
    }
)

# Volunteers' machines all over the Internet, a few at a time with a short TTL: by its answers alone a fast flux.
POOLS = frozenset({"ntp.org"})

KNOWN = LOOKUPS | POOLS
