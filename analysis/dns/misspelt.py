"""Names that do not exist, beside a Service that is spelt almost so, stands in another namespace, or was there before."""

from collections.abc import Sequence
from functools import partial

from analysis.dns.finding import Context, Diagnosis, Finding, Row, Severity, asked_by, client_of
from analysis.dns.nearest import Meant, Nearest
from analysis.words import counted

# Names that are compared with the Services: those asked for most often. Compared by length, so with few of the Services each.
ROWS = 2000


def judge(rows: Sequence[Row], context: Context) -> list[Finding]:
    """Silent where the cluster's Services are not known, and where none is near."""
    if context.services is None:
        return []
    nearest = Nearest(context)
    found = map(partial(_judged, nearest=nearest), rows)
    return [finding for finding in found if finding is not None]


def _judged(row: Row, nearest: Nearest) -> Finding | None:
    gone = nearest.gone(row["asked"], row["client_namespace"])
    if gone is not None:
        return _gone(row, gone, nearest.context)
    meant = nearest.meant(row["asked"], row["client_namespace"])
    return _misspelt(row, meant) if meant else None


def _misspelt(row: Row, meant: Sequence[Meant]) -> Finding:
    names, sure = " or ".join(one.name for one in meant), meant[0].sure
    perhaps = "" if sure else ", if it is meant and not a name outside the cluster,"
    return Finding(
        diagnosis=DIAGNOSIS.name,
        severity=Severity.CRITICAL if sure else Severity.WARNING,
        subject=f"{client_of(row)} → {row['asked']}",
        says=f"{_asked(row)} It does not exist; {_beside(meant)}.",
        fix=f"Write {names}{perhaps} where {client_of(row)} has {row['asked']}.",
        queries=row["queries"],
        waited_us=row["waited_us"],
        evidence={**row, "meant": [one.name for one in meant]},
        effect=f"{counted(row['resolutions'], 'call')} would have got an answer.",
        look={**asked_by(row), "domain": f"{row['asked']}*"},
    )


def _beside(meant: Sequence[Meant]) -> str:
    service = meant[0].service
    if not meant[0].other_namespace:
        return f"nearest is the Service {service}"
    namespaces = [one.service.namespace for one in meant]
    where = "namespace" if len(namespaces) == 1 else "namespaces"
    return f"a Service {service.name} is in the {where} {' and '.join(namespaces)}"


def _gone(row: Row, gone: tuple[str, str], context: Context) -> Finding:
    namespace, name = gone
    return Finding(
        diagnosis=DIAGNOSIS.name,
        severity=Severity.CRITICAL,
        subject=f"{client_of(row)} → {row['asked']}",
        says=f"{_asked(row)} It does not exist any more: the Service {namespace}/{name} was there when the cluster "
        f"was read at {context.gone[gone]:%Y-%m-%d %H:%M:%S} UTC, and is not in the newest reading.",
        fix=f"Bring the Service {namespace}/{name} back, or tell {client_of(row)} what stands in its place.",
        queries=row["queries"],
        waited_us=row["waited_us"],
        evidence={**row, "gone": f"{namespace}/{name}"},
        effect=f"{counted(row['resolutions'], 'call')} would have got an answer.",
        look={**asked_by(row), "domain": f"{row['asked']}*"},
    )


def _asked(row: Row) -> str:
    times, queries = counted(row["resolutions"], "time"), counted(row["queries"], "query", "queries")
    return f"{client_of(row)} asked for {row['asked']} {times}, by {queries}, in vain."


DIAGNOSIS = Diagnosis("misspelt", "Names of Services that are spelt wrong", judge, needs_services=True, rows=ROWS)
