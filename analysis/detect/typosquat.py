"""A domain that looks like one that the cluster uses: a slip of the pen, or somebody who counts on one."""

from collections.abc import Sequence

from analysis.detect import CANDIDATES
from analysis.dns.finding import Context, Diagnosis, Finding, Row, Severity
from analysis.words import counted


def judge(rows: Sequence[Row], context: Context) -> list[Finding]:
    return [_finding(row) for row in rows if row["registered_domain"] not in context.harmless]


def _finding(row: Row) -> Finding:
    rare, often = row["registered_domain"], row["resembles"]
    who = _who(row)
    return Finding(
        diagnosis=DIAGNOSIS.name,
        severity=_severity(row),
        subject=f"{rare} ~ {often}",
        says=f"{who} asked {counted(row['resolutions'], 'time')} for {row['example']}; {rare} is {_likeness(row)} {often}, "
        f"which is asked for {counted(row['resembles_resolutions'], 'time')}. {_what_followed(row)}",
        fix=f"Find out where {who} has the name from. If {often} was meant, correct it; look at what went to {rare}.",
        queries=row["resolutions"],
        waited_us=0,
        evidence=row,
        look={"domain": f"*{rare}"},
    )


def _who(row: Row) -> str:
    return f"{row['client']} and {row['clients'] - 1} more" if row["clients"] > 1 else str(row["client"])


def _severity(row: Row) -> Severity:
    if not row["answered"]:
        return Severity.INFO
    return Severity.CRITICAL if row["looks_alike"] else Severity.WARNING


def _likeness(row: Row) -> str:
    if row["looks_alike"]:
        return "hard to tell by eye from"
    return "one character away from" if row["edits"] == 1 else "two characters away from"


def _what_followed(row: Row) -> str:
    if not row["answered"]:
        return "It was not answered with an address."
    return f"It leads somewhere, and {counted(row['connections'], 'connection')} went there."


DIAGNOSIS = Diagnosis("typosquat", "Domains that look like one that is used", judge, rows=CANDIDATES)
