"""A name of the outside that leads inside: how a web page, or a URL checked only once, reaches what it must not."""

from collections.abc import Sequence
from datetime import timedelta

from analysis.detect import CANDIDATES
from analysis.dns.finding import Context, Diagnosis, Finding, Row, Severity, asked_by, client_of
from analysis.words import counted

# The check and the use of a name lie seconds to minutes apart; who moves a service takes longer than that.
SOON = timedelta(hours=1)

# Hardly any zone of a company leads there: the machine that asks, and its neighbour that hands out credentials.
OWN = ("loopback", "link-local")

FILTER = (
    "let the DNS keep back private addresses for names of others (unbound: private-address; dnsmasq: stop-dns-rebind)"
)


def judge(rows: Sequence[Row], context: Context) -> list[Finding]:
    judged = [(row, _severity(row)) for row in rows if row["registered_domain"] not in context.harmless]
    return [_finding(row, severity) for row, severity in judged if severity is not None]


def _severity(row: Row) -> Severity | None:
    """None for what is most likely a zone of the company's own: all inside, and asked by several or led elsewhere."""
    if row["outside"] is not None:
        return Severity.CRITICAL if _soon(row) else Severity.WARNING
    return Severity.WARNING if _is_near(row) and row["zone_clients"] == 1 else None


def _soon(row: Row) -> bool:
    """From an address outside to one inside in a short time, or both at once, and not for hours on end."""
    apart = row["first_inside"] - row["last_outside"]
    return bool(row["first_outside"] <= row["last_inside"] and apart <= SOON and not _has_two_views(row))


def _has_two_views(row: Row) -> bool:
    """A zone of the company's own that leads outside and inside, time and again: who rebinds a name is done soon."""
    both = min(row["last_outside"], row["last_inside"]) - max(row["first_outside"], row["first_inside"])
    return bool(both > SOON and not _is_near(row))


def _is_near(row: Row) -> bool:
    return bool(row["of_cluster"] or row["place"] in OWN)


def _finding(row: Row, severity: Severity) -> Finding:
    name = row["asked"]
    return Finding(
        diagnosis=DIAGNOSIS.name,
        severity=severity,
        subject=f"{client_of(row)} → {name}",
        says=f"{name} led {client_of(row)} to {_inside(row)}{_before(row)}; "
        f"{counted(row['connections'], 'connection')} went there.",
        fix=_fix(row),
        queries=row["resolutions"],
        waited_us=0,
        evidence=row,
        look=asked_by(row) | {"domain": name},
    )


def _inside(row: Row) -> str:
    more = f" and {row['inside_addresses'] - 1} more" if row["inside_addresses"] > 1 else ""
    whose = ", an address of the cluster" if row["of_cluster"] else ""
    return f"{row['inside']}{more} ({row['place']}{whose})"


def _before(row: Row) -> str:
    if row["outside"] is None:
        return ", and never outside"
    return f", and to {row['outside']} outside as well"


def _fix(row: Row) -> str:
    if row["outside"] is None:
        zone = row["registered_domain"]
        return f"If {zone} is your own zone, say so with --known {zone}. If not, {FILTER}."
    return f"{FILTER[0].upper()}{FILTER[1:]}; let {client_of(row)} check the address that it connects to, not the name."


DIAGNOSIS = Diagnosis("rebinding", "Names from outside that lead inside", judge, rows=CANDIDATES)
