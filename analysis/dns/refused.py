"""Names that resolve, to addresses that refuse connections or do not answer them."""

from collections.abc import Sequence

from analysis.dns.cluster_names import service_at
from analysis.dns.finding import Context, Diagnosis, Finding, Row, Severity, asked_by, client_of
from analysis.dns.words import listed
from analysis.words import counted

# Rows of one client and name each; those of one name make one finding.
ROWS = 1000


def judge(rows: Sequence[Row], context: Context) -> list[Finding]:
    """One of each name, whoever asks for it. A Service without a ready endpoint is said to be so by another diagnosis."""
    names: dict[str, list[Row]] = {}
    for row in rows:
        service = service_at(row["name"], context)
        if service is None or service.ready != 0:
            names.setdefault(row["name"], []).append(row)
    return [_finding(name, found) for name, found in names.items()]


def _finding(name: str, rows: Sequence[Row]) -> Finding:
    columns = ("resolutions", "connections", "failed_connections", "refused", "silent")
    figures = {column: sum(row[column] for row in rows) for column in columns}
    return Finding(
        diagnosis=DIAGNOSIS.name,
        severity=Severity.CRITICAL,
        subject=name,
        says=_says(name, rows, figures),
        fix=_fix(rows, figures),
        queries=sum(row["queries"] for row in rows),
        waited_us=0,  # the name is there at once; how long a program waits for its connection is the program's
        evidence={**rows[0], **figures, "clients": sorted({client_of(row) for row in rows})},
        effect=f"{counted(figures['failed_connections'], 'connection')} would have found somebody to answer.",
        look={**asked_by(rows[0]), "domain": f"{rows[0]['asked']}*"},
    )


def _says(name: str, rows: Sequence[Row], figures: Row) -> str:
    clients = listed(sorted({client_of(row) for row in rows}))
    failed, made = figures["failed_connections"], counted(figures["connections"], "connection")
    return (
        f"{name} resolves, but of {made} of {clients} to its addresses {failed:,} failed{_how(figures)}{_port(rows)}."
    )


def _how(figures: Row) -> str:
    refused, silent = figures["refused"], figures["silent"]
    if refused and silent:
        return f": {refused:,} refused and {silent:,} not answered"
    return ": refused" if refused else ": not answered" if silent else ""


def _port(rows: Sequence[Row]) -> str:
    ports = {row[column] for row in rows for column in ("least_port", "most_port")} - {None}
    return f", on port {ports.pop()}" if len(ports) == 1 else ""


def _fix(rows: Sequence[Row], figures: Row) -> str:
    where = next((f" (such as {row['example_ip']})" for row in rows if row["example_ip"]), "")
    if figures["refused"] > figures["silent"]:
        return (
            f"Nothing listens there{where}: see whether the process runs, on which port and address it listens, "
            "and which targetPort its Service has."
        )
    return (
        f"Nobody answers there{where}: see whether the address is still held by anybody, and which network policy "
        "or firewall drops the packets."
    )


DIAGNOSIS = Diagnosis("refused", "Names whose connections are refused or not answered", judge, rows=ROWS)
