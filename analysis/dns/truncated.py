"""Answers cut short over UDP: who asked again over TCP, what that took, and who never got the whole answer."""

from collections.abc import Sequence

from analysis.dns.finding import Context, Diagnosis, Finding, Row, Severity, asked_by, client_of
from analysis.dns.words import took
from analysis.words import counted

# What fits every path without fragments (DNS Flag Day 2020), and is what most servers send at most.
SAFE_BYTES = 1232

LOST = (
    "Allow TCP 53 beside UDP 53 from these pods to {server} (policies, firewalls), and use a resolver that asks again "
    "over TCP (musl does since 1.2.4). "
)


def judge(rows: Sequence[Row], context: Context) -> list[Finding]:
    return [_finding(row) for row in rows]


def _finding(row: Row) -> Finding:
    missing = row["truncated"] - row["answered_again"]
    return Finding(
        diagnosis=DIAGNOSIS.name,
        severity=Severity.CRITICAL if missing else Severity.WARNING,
        subject=f"{client_of(row)} → {row['qname']} {row['qtype']}",
        says=f"{row['server']} cut {counted(row['truncated'], 'answer')} short, {_size(row)}. {_missing(row)}{_late(row)}",
        fix=(LOST.format_map(row) if missing else "") + _smaller(row),
        queries=row["truncated"] + row["asked_again"],
        waited_us=row["added_us"],
        evidence=row,
        effect=f"{missing:,} more of {counted(row['truncated'], 'answer')} whole."
        if missing
        else f"Each answer comes {took(row['p50_added_us'])} sooner.",
        look=asked_by(row) | {"domain": row["qname"], "qtype": row["qtype"]},
    )


def _size(row: Row) -> str:
    offered = row["edns_udp_size"]
    return f"as the client takes {offered:,} bytes" if offered else "as the client takes 512 bytes (it sends no EDNS)"


def _missing(row: Row) -> str:
    never, failed = row["truncated"] - row["asked_again"], row["asked_again"] - row["answered_again"]
    parts = [f"{never:,} never asked for again over TCP"] if never else []
    parts += [f"{failed:,} asked for over TCP in vain"] if failed else []
    return f"{' and '.join(parts)}: the client has a part of the answer, or none. " if parts else ""


def _late(row: Row) -> str:
    if not row["answered_again"]:
        return ""
    later = f"{took(row['p50_added_us'])} later ({took(row['longest_added_us'])} at worst)"
    return f"{row['answered_again']:,} came whole over TCP, {later}."


def _smaller(row: Row) -> str:
    smaller = f"give {row['qname']} fewer records (a few addresses, a load balancer before them)"
    if (row["edns_udp_size"] or 0) >= SAFE_BYTES:
        return f"The client takes {row['edns_udp_size']:,} bytes already: {smaller}."
    return (
        f"Let the client offer EDNS with {SAFE_BYTES:,} bytes (glibc: `dnsConfig: {{options: [{{name: edns0}}]}}`; "
        f"CoreDNS: `bufsize {SAFE_BYTES}`), or {smaller}."
    )


DIAGNOSIS = Diagnosis("truncated", "Answers cut short", judge)
