"""Names that do not exist, and are asked upstream again and again."""

from collections.abc import Sequence

from analysis.dns.finding import Context, Diagnosis, Finding, Row, Severity, asked_by, client_of
from analysis.dns.words import took
from analysis.words import counted

# How long the advice lets a server remember: the default of the question's parameter ``enough``.
ENOUGH_S = 30


def judge(rows: Sequence[Row], context: Context) -> list[Finding]:
    return [_finding(row) for row in rows]


def _finding(row: Row) -> Finding:
    saved = row["uncached"] - row["needed"]
    wait = row["uncached_us"] / row["uncached"]
    return Finding(
        diagnosis=DIAGNOSIS.name,
        severity=Severity.WARNING,
        subject=f"{client_of(row)}: {row['qname']}",
        says=(
            f"{_missing(row)}. {row['uncached']:,} of {counted(row['transactions'], 'answer')} that say so came from upstream,"
            f" not from a cache: {_kept(row)}. Each took {took(wait)}."
        ),
        fix=(
            f"Find out who still needs that name: its settings may be left over, or its zone may lack it. {_remember(row)}"
        ),
        queries=row["queries"],
        waited_us=row["uncached_us"],
        evidence=row,
        effect=(
            f"Remembered for {ENOUGH_S} s, one server would ask upstream {row['needed']:,} times instead of"
            f" {row['uncached']:,}, and clients would wait {took(saved * wait)} less."
        ),
        look=asked_by(row) | {"domain": row["qname"], "rcode": row["rcode"]},
    )


def _missing(row: Row) -> str:
    return "The name does not exist" if row["rcode"] == "NXDOMAIN" else f"The name has no {row['qtype']}"


def _kept(row: Row) -> str:
    if row["negative_ttl"] is None:
        return "they have no SOA, without which nobody may keep them (RFC 2308 §5)"
    return f"they may be kept for {row['negative_ttl']} s"


def _remember(row: Row) -> str:
    """CoreDNS keeps what does not exist for as long as its SOA says, or for the third number if that is more."""
    if row["negative_ttl"] is None:
        return "Its name server should send its SOA with such answers."
    return (
        f"If it has to be asked for: `denial 9984 1800 {ENOUGH_S}` in the block `cache` of the Corefile lets CoreDNS remember"
        f" it for {ENOUGH_S} s, and a greater MINIMUM in the SOA of the zone lets everybody."
    )


DIAGNOSIS = Diagnosis("negative_cache", "Names that do not exist, asked upstream again and again", judge)
