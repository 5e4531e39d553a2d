"""Names that a client resolves again and again, and never connects to."""

from collections.abc import Sequence

from analysis.dns.finding import Context, Diagnosis, Finding, Row, Severity, asked_by, client_of
from analysis.dns.words import took
from analysis.words import counted


def judge(rows: Sequence[Row], context: Context) -> list[Finding]:
    return [_finding(row) for row in rows]


def _finding(row: Row) -> Finding:
    span_us = (row["last_seen"] - row["first_seen"]).total_seconds() * 1_000_000
    return Finding(
        diagnosis=DIAGNOSIS.name,
        severity=Severity.INFO,
        subject=f"{client_of(row)} → {row['asked']}",
        says=f"{client_of(row)} resolved {row['asked']} {counted(row['resolutions'], 'time')} in {took(span_us)}, "
        "and no connection of it to any of the addresses was seen, whenever opened.",
        fix="See what asks: a health check that only resolves, a target that is configured and no longer used, "
        "or a program that reaches it on a way that is not recorded here (a proxy, a node without a collector).",
        queries=row["queries"],
        waited_us=0,  # nobody waits for what is not used
        evidence=row,
        effect=f"Without it {counted(row['queries'], 'query', 'queries')} would not have been sent.",
        look={**asked_by(row), "domain": f"{row['asked']}*"},
    )


DIAGNOSIS = Diagnosis("never_connected", "Names that are resolved and never connected to", judge)
