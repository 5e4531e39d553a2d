"""Queries that nobody answered, or only when they were repeated; one finding for each that is to blame."""

from collections import Counter
from collections.abc import Sequence

from analysis.dns.culprits import Culprit, culprits
from analysis.dns.finding import Client, Context, Diagnosis, Finding, Row, Severity, asked_by, client_of
from analysis.dns.words import listed, took
from analysis.words import counted

# A single lost packet is what UDP does; the second of the same kind is a fault.
LEAST = 2
# Clients that wait so long are stalled: their own callers have given up.
STALL_US = 1_000_000

# Who waits so long before it asks again (resolv.conf(5) of glibc, musl's res_msend.c, Go's net/dnsclient_unix.go).
LADDERS = (
    ("waits_1s", "1 s", "`timeout:1` in resolv.conf, or a resolver of the program's own"),
    ("waits_2_5s", "2.5 s", "musl's first repeat (Alpine images)"),
    ("waits_5s", "5 s", "the first repeat of glibc and of Go, or both of musl's in vain"),
    ("waits_10s", "10 s", "the second repeat, or both servers of resolv.conf tried in vain"),
)
SHORTER = (
    'Until then `dnsConfig: {options: [{name: timeout, value: "1"}, {name: attempts, value: "3"}]}` in the pods that ask '
    "cuts each wait to 1 s."
)

# No packet tells when a resolver gave up; by default they take so long.
GIVEN_UP = (
    "A call that nobody answers fails after 10 s with glibc and Go, after 5 s with musl, "
    "unless its resolv.conf says otherwise."
)


def judge(rows: Sequence[Row], context: Context) -> list[Finding]:
    """Pairs of which only one was lost are what ``pair_race`` judges: they are told here, but accuse nobody."""
    weighed = [_weighed(row) for row in rows]
    return [_finding(culprit) for culprit in culprits(weighed, LEAST)]


def _weighed(row: Row) -> Row:
    lost = row["unanswered"] + row["answered_late"] - row["of_pair"]
    at_server = f"{row['zone']} at {row['server']}" if row["zone"] and row["server"] else None
    return {**row, "lost": lost, "client": client_of(row) if row["client_name"] else None, "zone_at_server": at_server}


def _finding(culprit: Culprit) -> Finding:
    sums = _sums(culprit.rows) | {"transactions": culprit.tally.transactions}
    stalled = sums["unanswered"] > 0 or sums["longest_us"] >= STALL_US
    return Finding(
        diagnosis=DIAGNOSIS.name,
        severity=Severity.CRITICAL if stalled else Severity.WARNING,
        subject=_subject(culprit),
        says=f"{_lost(sums)} {_contrast(culprit)} {_waits(sums)}".strip(),
        fix=f"{_fix(culprit)} {SHORTER}" if sums["waits_5s"] or sums["waits_10s"] else _fix(culprit),
        queries=sums["unanswered"] + sums["answered_late"],
        waited_us=sums["waited_us"],
        evidence=sums | _evidence(culprit),
        effect=_effect(sums),
        look=_look(culprit),
        clients=_concerned(culprit),
    )


def _sums(rows: Sequence[Row]) -> dict[str, int]:
    added = ("unanswered", "answered_late", "of_pair", "calls", "waited_us")
    sums: Counter[str] = Counter()
    for row in rows:
        sums.update({name: row[name] for name in (*added, *(name for name, _, _ in LADDERS))})
    return dict(sums) | {"longest_us": max(row["longest_us"] for row in rows)}


def _losing(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if row["unanswered"] or row["answered_late"]]


def _evidence(culprit: Culprit) -> dict[str, object]:
    losing = _losing(culprit.rows)
    return {
        "dimension": culprit.dimension,
        "value": culprit.value,
        "other_transactions": culprit.others.transactions,
        "other_lost": culprit.others.lost,
        "clients": _clients(culprit),
        "servers": _servers(culprit),
        "example": losing[0]["example"],
        "first_seen": min(row["first_seen"] for row in losing),
        "last_seen": max(row["last_seen"] for row in losing),
    }


def _clients(culprit: Culprit) -> Sequence[str]:
    """Those that lost enough to be told apart."""
    return sorted({row["client"] for row in _losing(culprit.rows) if row["client"]})


def _concerned(culprit: Culprit) -> frozenset[Client]:
    """Who lost next to nothing has no name in the rows."""
    named = (row for row in _losing(culprit.rows) if row["client_name"])
    return frozenset((row["client_namespace"], row["client_name"]) for row in named)


def _servers(culprit: Culprit) -> Sequence[str]:
    losing = _losing(culprit.rows)
    unseen = {f"{row['service']}, no pod of which was seen to get them" for row in losing if row["service"]}
    return sorted({row["server"] for row in losing if row["server"]} | unseen)


def _listed(names: Sequence[str], things: str) -> str:
    return listed(names) if names else f"several {things}"


def _lost(sums: Row) -> str:
    parts = [f"{sums['unanswered']:,} never answered"] if sums["unanswered"] else []
    parts += [f"{sums['answered_late']:,} answered only when asked again"] if sums["answered_late"] else []
    return f"Of {counted(sums['transactions'], 'transaction')}: {', '.join(parts)}."


def _waits(sums: Row) -> str:
    """Which resolver waits so is told by how long: each climbs a ladder of its own."""
    if sums["unanswered"] and sums["longest_us"] < STALL_US:
        return GIVEN_UP
    if not sums["waited_us"]:
        return ""
    steps = [f"{sums[name]:,} of {length} ({whose})" for name, length, whose in LADDERS if sums[name]]
    ladder = f": {'; '.join(steps)}" if steps else ""
    least = "at least " if sums["unanswered"] else ""
    worst = f", {took(sums['longest_us'])} at worst" if sums["calls"] > 1 else ""
    waited = f"{counted(sums['calls'], 'resolver call')} waited {least}{took(sums['waited_us'])}{worst}{ladder}."
    return f"{waited} {GIVEN_UP}" if sums["unanswered"] else waited


def _contrast(culprit: Culprit) -> str:
    clients, servers = _listed(_clients(culprit), "clients"), _listed(_servers(culprit), "servers")
    if culprit.dimension is None:
        named = {row["client"] for row in _losing(culprit.rows)}
        who = "several clients" if None in named else counted(len(named), "client")
        return f"It is {who} at {servers}, none much worse than the others."
    rest = f"{culprit.others.lost:,} of {culprit.others.transactions:,}"
    contrast = {
        "zone": f"All other names: {rest} lost. Asked by {clients} of {servers}.",
        "zone_at_server": f"All else: {rest} lost. Asked by {clients}.",
        "server": f"Other servers: {rest} lost. Asked by {clients}.",
        "client": f"Other clients: {rest} lost. It asked {servers}.",
        "client_node": f"Other nodes: {rest} lost. Clients there: {clients}.",
    }[culprit.dimension]
    same = [f"{WORDS[dimension]} {value}" for dimension, value in culprit.same if dimension != "zone_at_server"]
    return f"{contrast} It cannot be told apart from {' and '.join(same)}." if same else contrast


WORDS = {
    "zone": "names under",
    "zone_at_server": "names under",
    "server": "server",
    "client": "client",
    "client_node": "node",
}


def _subject(culprit: Culprit) -> str:
    if culprit.dimension is None:
        return "the way to the name servers"
    return f"{WORDS[culprit.dimension]} {culprit.value}"


def _fix(culprit: Culprit) -> str:
    value = culprit.value
    nodes = sorted({str(row["server_node"]) for row in culprit.rows if row["server_node"]})
    where = f" (on {listed(nodes)})" if nodes else ""
    fixes = {
        None: "Look at what all queries pass: kube-proxy or the CNI's Service handling, conntrack tables that are full "
        "(`conntrack -S`), a policy that drops UDP 53, the servers' CPU limits.",
        "zone": f"A server keeps silent for these names alone: ask it with `dig`, and look at its rules for {value} "
        "and, if it forwards them, at the upstream.",
        "zone_at_server": f"This server{where} keeps silent for these names, and answers others: was it down just then, "
        "has it another configuration, does it wait for an upstream that the others do not ask?",
        "server": f"Look at {value}{where}: restarts, CPU throttling, its log; delete the pod, or take it out of its Service, "
        "and the others answer.",
        "client": f"Look at {value} and what stands before it alone: an egress policy, a sidecar, its resolv.conf, "
        "a conntrack or port limit of its own.",
        "client_node": f"Look at node {value}: conntrack table (`conntrack -S`, drops and insert_failed), "
        "kube-proxy or CNI agent, node-local DNS cache, packet loss on its uplink.",
    }
    return fixes[culprit.dimension]


def _effect(sums: Row) -> str | None:
    if sums["unanswered"]:
        return f"{counted(sums['calls'], 'resolver call')} answered, instead of waiting and failing."
    average = took(sums["waited_us"] / sums["calls"])
    return f"{counted(sums['calls'], 'resolver call')} less that {'waits' if sums['calls'] == 1 else 'wait'} {average} on average."


def _look(culprit: Culprit) -> dict[str, object]:
    first = _losing(culprit.rows)[0]
    looks: dict[str | None, dict[str, object]] = {
        "zone": {"domain": f"*{culprit.value}"},
        "zone_at_server": {"domain": f"*{first['zone']}"} | _at(str(first["server"])),
        "server": _at(str(culprit.value)),
        "client": asked_by(first),
    }
    outcome = {"outcome": "unanswered"} if any(row["unanswered"] for row in culprit.rows) else {}
    return looks.get(culprit.dimension, {}) | outcome


def _at(server: str) -> dict[str, object]:
    return {"to_pod": server} if "/" in server else {"to_ip": server}


DIAGNOSIS = Diagnosis("unanswered", "Queries without an answer", judge, rows=10_000, compares=True)
