"""The resolutions table: one call of a resolver, with every DNS transaction that it took."""

from contract.columns import COUNT, FLAG, TEXT, TEXTS, TIME, Column, Table, prefixed
from contract.ends import END, SERVICE

# How a search suffix is written that is none: the name was asked for as it stands.
AS_IT_STANDS = "."

NOT_ANSWERED = "no step of it was answered"

RESOLUTIONS = Table(
    "resolutions",
    "One call of a client's resolver: the transactions for one name, through its search path, for all types, with their repeats.",
    time="start_time",
    sort_by=("start_time", "client_ip", "asked"),
    apart="counted",
    columns=(
        Column("start_time", TIME, "first query"),
        Column("end_time", TIME, "last response, or last query where that came later"),
        Column("cluster", TEXT, "name of the cluster", "not told"),
        Column("node", TEXT, "node whose collector saw its first transaction", "not told"),
        Column("resolution_id", TEXT, "the same as in dns"),
        Column(
            "counted",
            FLAG,
            "not told by another ingest already",
            "another ingest may know more of it; the view compares",
        ),
        Column("client_ip", TEXT, "address that asked"),
        Column("forwarded", FLAG, "the client is a name server that asks for others"),
        Column("asked", TEXT, "name that was given to the resolver, as far as its queries tell"),
        Column("registered_domain", TEXT, "as in dns, of asked", "none, or a name of the cluster"),
        Column("qtypes", TEXT, "types that were asked for, in order of the alphabet, joined by a comma"),
        Column(
            "suffixes",
            TEXTS,
            "what was put behind the name, step by step in the order of the queries; . where it was asked for as it stands",
        ),
        Column("answered_suffix", TEXT, "the one of the step that was answered with data", "none was"),
        Column("outcome", TEXT, "how it ended: answered, no_data, nxdomain, failed, unanswered"),
        Column("rcode", TEXT, "of the step that decided it", "that step had no response"),
        Column("duration_us", COUNT, "from the first query to the response that decided it", NOT_ANSWERED, "µs"),
        Column("transactions", COUNT, "how many"),
        Column("queries", COUNT, "messages that were sent, repeats included"),
        Column("wasted_queries", COUNT, "of them, those of steps that another search path would not have taken"),
        Column("wasted_us", COUNT, "how much of the duration these steps took", "", "µs"),
        Column("retries", COUNT, "queries that asked again for what had not been answered"),
        Column("unanswered", COUNT, "transactions without a response"),
        Column(
            "lost_of_pair",
            COUNT,
            "pairs of A and AAAA from one socket of which one was answered at once, and the other repeated or lost",
        ),
        Column("truncated", COUNT, "answers cut short"),
        Column("over_tcp", COUNT, "transactions over TCP"),
        Column("addresses", TEXTS, "addresses that it was given", "none"),
        Column("ttl", COUNT, "of the shortest-lived record on the way to them", "no address", "s"),
        Column(
            "connections",
            COUNT,
            "connections that the client then opened to one of them, until it was given the address anew",
            "not known: no address, or the flows of the time after it are not there",
        ),
        Column("failed_connections", COUNT, "of them, those that were refused or not answered", "as connections"),
        *prefixed("client_", END),
        *SERVICE,
    ),
)
