"""Malware that looks for its master under names made up from the date: nearly all of them do not exist."""

from collections.abc import Sequence

from analysis.detect import CANDIDATES
from analysis.dns.finding import Context, Diagnosis, Finding, Row, Severity, asked_by, client_of

# Of the characters of registered names a third and more are vowels (a, e, i, o, u); of random letters a fifth.
RANDOM_VOWELS = 0.27
# Names made of words or syllables look like any other; only that there are so many, and little else, tells.
LEAST_WORDLIKE = 40
LEAST_WORDLIKE_SHARE = 0.75


def judge(rows: Sequence[Row], context: Context) -> list[Finding]:
    return [_finding(row) for row in rows if _random(row) or _many(row)]


def _random(row: Row) -> bool:
    return bool(row["vowels"] < RANDOM_VOWELS * row["characters"])


def _many(row: Row) -> bool:
    return bool(row["absent"] >= LEAST_WORDLIKE and row["absent"] >= LEAST_WORDLIKE_SHARE * row["domains"])


def _finding(row: Row) -> Finding:
    return Finding(
        diagnosis=DIAGNOSIS.name,
        severity=Severity.CRITICAL if _random(row) else Severity.WARNING,
        subject=client_of(row),
        says=_says(row),
        fix=f"Look at what runs in {client_of(row)}, and at its names that were answered: one may be the master's. "
        "Crawlers, and checkers of links and of senders, do the same by design.",
        queries=row["resolutions"],
        waited_us=0,
        evidence=row,
        look=asked_by(row) | {"rcode": "NXDOMAIN"},
    )


def _says(row: Row) -> str:
    share = 100 * row["vowels"] / row["characters"]
    return (
        f"{row['absent']} of {row['domains']} registered domains asked for on {row['first_seen']:%Y-%m-%d} "
        f"do not exist, such as {', '.join(row['examples'][:3])}; {share:.0f} % of their characters are vowels, as of "
        f"{'random letters' if _random(row) else 'words'}."
    )


DIAGNOSIS = Diagnosis("dga", "Made-up domains that do not exist", judge, rows=CANDIDATES)
