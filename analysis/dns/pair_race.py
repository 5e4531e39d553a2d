"""A and AAAA sent at once from one socket, of which the node loses one: the resolver waits its whole timeout."""

from collections.abc import Sequence

from analysis.dns.finding import Context, Diagnosis, Finding, Row, Severity, asked_by, client_of
from analysis.dns.words import took
from analysis.words import counted

# A client that loses other calls half as often loses packets, whatever they are: `unanswered` tells.
GENERAL = 0.5

FIX = (
    "The kernel drops the second of two packets that open one conntrack entry at once. Set "
    "`dnsConfig: {options: [{name: single-request-reopen}]}` in the pod template (glibc; musl does not read it), "
    "or keep these queries off conntrack for the whole cluster: a node-local DNS cache (NodeLocal DNSCache). "
    "`conntrack -S` on the node tells: its insert_failed grows with each."
)


def judge(rows: Sequence[Row], context: Context) -> list[Finding]:
    return [_finding(row) for row in rows if _is_race(row)]


def _is_race(row: Row) -> bool:
    return bool(row["lost_otherwise"] < GENERAL * row["raced"])


def _finding(row: Row) -> Finding:
    stall = f" and waited {took(row['p50_stall_us'])}" if row["p50_stall_us"] is not None else ""
    return Finding(
        diagnosis=DIAGNOSIS.name,
        severity=Severity.CRITICAL,
        subject=client_of(row),
        says=f"{row['raced']:,} of {counted(row['pairs'], 'call')} for A and AAAA at once{_where(row)} lost one query of the "
        f"two{stall}. Lost otherwise: {counted(row['lost_otherwise'], 'call')}.",
        fix=FIX,
        queries=row["raced"],
        waited_us=row["waited_us"],
        evidence=row,
        effect=f"{counted(row['raced'], 'call')} less that stall, {took(row['waited_us'])} in all.",
        look=asked_by(row) | ({"domain": f"{row['example']}*"} if row["names"] == 1 else {}),
    )


def _where(row: Row) -> str:
    """A client of which no more than its address is known has no node."""
    if not row["nodes"]:
        return ""
    return f" on node {row['node']}" if row["nodes"] == 1 else f" on {counted(row['nodes'], 'node')}"


DIAGNOSIS = Diagnosis("pair_race", "One of A and AAAA lost", judge)
