"""Queries that nobody answered, or only when they were repeated."""

from collections.abc import Sequence

from analysis.dns.finding import Context, Diagnosis, Finding, Row, Severity, client_of


def judge(rows: Sequence[Row], context: Context) -> list[Finding]:
    return [_finding(row) for row in rows]


def _finding(row: Row) -> Finding:
    never, late = row["unanswered"], row["answered_late"]
    return Finding(
        diagnosis=DIAGNOSIS.name,
        severity=Severity.CRITICAL if never else Severity.WARNING,
        subject=f"{client_of(row)} → {row['server']}",
        says=f"{never} of {row['transactions']} transactions were never answered, {late} only when asked again.",
        fix="Look at that server, and at what lies between: its load, its limits, a policy that drops its packets.",
        queries=row["queries"],
        waited_us=row["waited_us"],
        evidence=row,
        look={"from_namespace": row["client_namespace"], "from_workload": row["client_name"], "outcome": "unanswered"},
    )


DIAGNOSIS = Diagnosis("unanswered", "Queries without an answer", judge)
