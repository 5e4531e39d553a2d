"""Data carried in names: how much at most, as Paxson et al. tell it (USENIX Security 2013): by compressing them."""

import re
import zlib
from collections.abc import Sequence
from datetime import timedelta
from os.path import commonprefix

from analysis.detect import CANDIDATES
from analysis.dns.finding import Context, Diagnosis, Finding, Row, Severity, asked_by, client_of

# Bytes a day that leave in the names of one client below one domain; docs/dns.md shows what lies on either side.
LEAST_CARRIED = 1000
# TXT, NULL and CNAME carry data back, and hardly anybody asks for them of names never heard of before.
LEAST_CARRIED_WITHOUT_ADDRESS = 400
# Bits a character that names made of words stay below; those of a digest or of base32 have more.
WORDS_BITS = 4.1
# Beyond this it is no beacon and no list that we do not know, but somebody's files.
MUCH = 10_000

# Names of the sample that the evidence keeps.
SHOWN = 8

DAY = timedelta(days=1)

# An address asked about, of both families (RFC 5782): it carries nothing but itself, however many there are.
ADDRESS = re.compile(r"(\d{1,3}\.){3}\d{1,3}|([0-9a-f]\.){31}[0-9a-f]")


def judge(rows: Sequence[Row], context: Context) -> list[Finding]:
    return [_finding(row) for row in rows if row["registered_domain"] not in context.harmless and _is_tunnel(row)]


def _is_tunnel(row: Row) -> bool:
    return daily(row) >= _bound(row) and not _is_words(row) and not _is_addresses(row)


def _is_words(row: Row) -> bool:
    """A customer's name each, and so on; of such names addresses are asked for."""
    varying = "".join(_varying(row["sample"]))
    return not _without_address(row) and 8 * _packed(row["sample"]) < WORDS_BITS * len(varying)


def _is_addresses(row: Row) -> bool:
    return all(ADDRESS.match(before) for before in row["sample"])


def daily(row: Row) -> float:
    span: timedelta = row["last_seen"] - row["first_seen"]
    return carried(row) / max(span / DAY, 1.0)


def carried(row: Row) -> float:
    """Bytes in all its names: what a compressor cannot foresee in those of the sample, for as many as there are."""
    return _packed(row["sample"]) / len(row["sample"]) * float(row["names"])


def _packed(sample: Sequence[str]) -> int:
    return len(zlib.compress("\n".join(sample).encode(), 9))


def _varying(sample: Sequence[str]) -> list[str]:
    """Without what all begin and end with, which says nothing and could be there to look like words."""
    before = len(commonprefix(sample))
    rest = [name[before:][::-1] for name in sample]
    behind = len(commonprefix(rest))
    return [name[behind:] for name in rest]


def _bits(row: Row) -> float:
    return 8 * carried(row) / float(row["characters"])


def _bound(row: Row) -> int:
    return LEAST_CARRIED_WITHOUT_ADDRESS if _without_address(row) else LEAST_CARRIED


def _without_address(row: Row) -> bool:
    return bool(2 * row["without_address"] > row["resolutions"])


def _finding(row: Row) -> Finding:
    client, domain = client_of(row), row["registered_domain"]
    return Finding(
        diagnosis=DIAGNOSIS.name,
        severity=Severity.CRITICAL if _without_address(row) or daily(row) >= MUCH else Severity.WARNING,
        subject=f"{client} → {domain}",
        says=_says(row),
        fix=f"Find out which program of {client} asks for them. If nobody knows it, stop it, keep it for inspection, "
        f"and let the cluster's DNS refuse {domain}. Reputation services ask so by design: name yours with --known.",
        queries=row["resolutions"],
        waited_us=0,
        evidence={**row, "sample": row["sample"][:SHOWN]},
        look=asked_by(row) | {"domain": f"*.{domain}"},
    )


def _says(row: Row) -> str:
    names, length = row["names"], row["characters"] / row["names"]
    return (
        f"{names} different names below {row['registered_domain']} in {row['resolutions']} resolutions, "
        f"{length:.0f} characters each before it, {_bits(row):.1f} bits a character: "
        f"room for {carried(row):,.0f} bytes that leave the cluster."
    )


DIAGNOSIS = Diagnosis("tunnelling", "Data carried in names", judge, rows=CANDIDATES)
