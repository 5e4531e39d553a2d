"""Names of Services that have nothing ready behind them: the name resolves, and nobody is there."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from analysis.dns.cluster_names import service_at, service_meant
from analysis.dns.finding import Context, Diagnosis, Finding, Row, Service, Severity, asked_by, client_of
from analysis.dns.words import listed
from analysis.words import counted

# Names of one cluster without one good connection, by client: what a client resolves and never calls is among them.
ROWS = 10_000


def judge(rows: Sequence[Row], context: Context) -> list[Finding]:
    """One of each Service, whoever asks for it: its endpoints are what is to be mended."""
    return [_finding(service, found, context) for service, found in by_service(rows, context)]


def by_service(rows: Iterable[Row], context: Context) -> Iterator[tuple[Service, list[Row]]]:
    """Services without a ready endpoint, with the rows of their names."""
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        service = _asked_for(row, context)
        if service is not None and service.ready == 0:
            found.setdefault((service.namespace, service.name), []).append(row)
    return ((context.known[key], own) for key, own in found.items())


def _asked_for(row: Row, context: Context) -> Service | None:
    """A name that has an answer is told by it; one that has none may be any that the search path led to."""
    if row["name"] is not None:
        return service_at(row["name"], context)
    found = service_meant(row["asked"], row["client_namespace"], context)
    # The name of a Service with an address exists without endpoints, too: what failed is another name.
    return found if found is not None and not found.addresses else None


def _finding(service: Service, rows: Sequence[Row], context: Context) -> Finding:
    figures = {name: _sum(rows, name) for name in ("resolutions", "answered", "connections", "failed_connections")}
    lost = figures["failed_connections"] > 0 or figures["answered"] == 0
    return Finding(
        diagnosis=DIAGNOSIS.name,
        severity=Severity.CRITICAL if lost else Severity.WARNING,
        subject=str(service),
        says=f"{_endpoints(service)}{_when(rows, context.read)}. {_asked(rows, figures)}",
        fix=_fix(service),
        queries=_sum(rows, "queries"),
        waited_us=_sum(rows, "waited_us"),
        evidence={**rows[0], **figures, "clients": sorted({client_of(row) for row in rows})},
        effect=_effect(figures),
        look={**asked_by(rows[0]), "domain": f"{rows[0]['asked']}*"},
    )


def _sum(rows: Sequence[Row], column: str) -> int:
    return sum(row[column] or 0 for row in rows)


def _endpoints(service: Service) -> str:
    if service.unready:
        return f"{service} has {counted(service.unready, 'endpoint')}, of which none is ready"
    return f"{service} has no endpoint: its selector finds no pod"


def _when(rows: Sequence[Row], read: datetime | None) -> str:
    """Where the cluster was read at another time than that of the names: that it was."""
    if read is None or min(row["first_seen"] for row in rows) <= read <= max(row["last_seen"] for row in rows):
        return ""
    return f" (as the cluster was read at {read:%Y-%m-%d %H:%M:%S} UTC, not while the name was asked for)"


def _asked(rows: Sequence[Row], figures: Row) -> str:
    clients = listed(sorted({client_of(row) for row in rows}))
    times = counted(figures["resolutions"], "time")
    if not figures["answered"]:
        return f"{clients} asked for it {times}, and got no address."
    if not figures["connections"]:
        return f"{clients} resolved it {times}; no connection to it was seen."
    made, failed = counted(figures["connections"], "connection"), figures["failed_connections"]
    return f"{clients} resolved it {times}; of {made} that followed, {failed:,} failed."


def _fix(service: Service) -> str:
    where = f"kubectl -n {service.namespace} get endpointslices -l kubernetes.io/service-name={service.name}"
    if service.unready:
        return f"See why its pods are not ready (readiness probe, crash, rollout): {where}"
    return f"Compare the Service's selector with the labels of the pods that it is for, and their number: {where}"


def _effect(figures: Row) -> str | None:
    if figures["failed_connections"]:
        return f"{counted(figures['failed_connections'], 'connection')} would have found somebody to answer."
    return None if figures["answered"] else f"{counted(figures['resolutions'], 'call')} would have got an address."


DIAGNOSIS = Diagnosis(
    "no_endpoint", "Names of Services without a ready endpoint", judge, needs_services=True, rows=ROWS
)
