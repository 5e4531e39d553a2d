"""Names asked for again and again because what is answered may not be kept until the next time."""

from collections.abc import Sequence

from analysis.dns.finding import Context, Diagnosis, Finding, Row, Severity, asked_by, client_of
from analysis.dns.words import share, took
from analysis.words import counted

# What the TTL is taken to become: the default of the question's parameter ``enough``.
ENOUGH_S = 30


def judge(rows: Sequence[Row], context: Context) -> list[Finding]:
    return [_outside(row) if row["outside"] else _inside(row) for row in rows]


def _outside(row: Row) -> Finding:
    wait = row["fetched_us"] / row["fetched"]
    return _finding(
        row,
        severity=Severity.WARNING if row["is_slow"] else Severity.INFO,
        says=(
            f"{row['fetched']:,} of {counted(row['resolutions'], 'answer')} had to be fetched: they may be kept for"
            f" {row['ttl']} s, and {_asks(row)}. Each took {took(wait)}."
        ),
        fix=(
            f"Let the name server of its zone give {ENOUGH_S} s or more, or let CoreDNS keep short-lived"
            f" answers for longer: `success 9984 3600 {ENOUGH_S}` in the block `cache` of its Corefile, which holds for all"
            " names."
        ),
        waited_us=row["fetched_us"],
        saved_us=(row["fetched"] - row["needed"]) * wait,
    )


def _inside(row: Row) -> Finding:
    """The servers of the cluster answer for its own names at any TTL: a cache on the node is what it would help."""
    return _finding(
        row,
        severity=Severity.INFO,
        says=(
            f"{counted(row['queries'], 'query', 'queries')} for a name of the cluster with a TTL of {row['ttl']} s, by"
            f" {counted(row['pods'], 'pod')}: {_asks(row)}."
        ),
        fix=(
            "Keep the connection, or the address, instead of asking each time; where the nodes have a cache (NodeLocal"
            f" DNSCache), write `ttl {ENOUGH_S}` in the block `kubernetes` of the Corefile."
        ),
        waited_us=0,
        saved_us=0,
    )


def _finding(row: Row, severity: Severity, says: str, fix: str, waited_us: int, saved_us: float) -> Finding:
    return Finding(
        diagnosis=DIAGNOSIS.name,
        severity=severity,
        subject=f"{client_of(row)}: {row['asked']}",
        says=says,
        fix=fix,
        queries=row["queries"],
        waited_us=waited_us,
        evidence=row,
        effect=_effect(row, saved_us),
        look=asked_by(row) | {"domain": f"{row['asked']}*"},
    )


def _effect(row: Row, saved_us: float) -> str:
    saved = row["fetched"] - row["needed"]
    spared = f", and spare {took(saved_us)} of waiting" if saved_us else ""
    return (
        f"With {ENOUGH_S} s a cache for each pod would answer {saved:,} of {row['fetched']:,}"
        f" ({share(saved, row['fetched'])}){spared}."
    )


def _asks(row: Row) -> str:
    return f"a pod asks every {row['interval_s']:.3g} s"


DIAGNOSIS = Diagnosis("low_ttl", "Names whose TTL is too short for how often they are asked for", judge)
