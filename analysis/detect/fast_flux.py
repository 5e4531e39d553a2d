"""A name hosted on hijacked machines all over the Internet, a few at a time."""

from collections.abc import Sequence

from analysis.detect import CANDIDATES
from analysis.dns.finding import Context, Diagnosis, Finding, Row, Severity
from analysis.words import counted


def judge(rows: Sequence[Row], context: Context) -> list[Finding]:
    return [_finding(row) for row in rows if row["registered_domain"] not in context.harmless]


def _finding(row: Row) -> Finding:
    return Finding(
        diagnosis=DIAGNOSIS.name,
        severity=Severity.WARNING,
        subject=row["asked"],
        says=_says(row),
        fix=f"Look up who owns some of them ({', '.join(row['examples'][:3])}): a CDN's belong to few owners, "
        "those of a botnet or of a peer-to-peer network to home connections. If nobody knows the name, stop what asks.",
        queries=row["resolutions"],
        waited_us=0,
        evidence=row,
        look={"domain": row["asked"]},
    )


def _says(row: Row) -> str:
    more = " and others" if row["client"] != row["other_client"] else ""
    return (
        f"{row['client']}{more} got {row['addresses']} addresses for it in {row['resolutions']} resolutions, "
        f"with a TTL of at most {row['ttl']} s. They lie in {row['networks']} networks (/16) and {row['octets']} parts "
        f"of the address space (/8). {counted(row['connections'], 'connection')} went to them."
    )


DIAGNOSIS = Diagnosis("fast_flux", "Addresses that change all the time, all over the Internet", judge, rows=CANDIDATES)
