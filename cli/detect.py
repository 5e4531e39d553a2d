"""``tailrace detect``: what in the names may be an attack."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from cli import options as o
from cli.output import Format, say, write
from cli.reading import TIMEOUT_S, window

if TYPE_CHECKING:
    import pyarrow as pa

    from analysis.dns.doctor import Report
    from analysis.dns.finding import Finding


def detect(
    *,
    lake: o.LakeOption,
    detection: Annotated[
        list[str] | None, typer.Option("--detection", metavar="NAME", help="Only this one; repeatable.")
    ] = None,
    known: Annotated[
        list[str] | None,
        typer.Option("--known", metavar="DOMAIN", help="A registered domain that is no attack; repeatable."),
    ] = None,
    namespace: Annotated[str | None, typer.Option("--namespace", "-n", help="Namespace of the client.")] = None,
    workload: Annotated[str | None, typer.Option("--workload", help="Workload of the client.")] = None,
    since: o.SinceOption = None,
    until: o.UntilOption = None,
    timeout: o.TimeoutOption = TIMEOUT_S,
    form: o.FormatOption = Format.TABLE,
) -> None:
    """Tunnels in names, made-up domains, fast flux, rebinding, look-alikes of domains in use: the worst first."""
    from analysis.detect.detections import detect as detected
    from analysis.detect.known import KNOWN
    from store.lake import Lake

    parameters = window(since, until) | {"namespace": namespace, "workload": workload}
    all_known = KNOWN | {name.lower().rstrip(".") for name in known or ()}
    report = detected(Lake.open(lake), parameters, detection or (), all_known, timeout)
    write(_rows(report.findings), form)
    _tell(report)


def _rows(findings: Sequence["Finding"]) -> "pa.Table":
    import pyarrow as pa

    names = ("finding", "severity", "subject", "says", "fix")
    rows = [(one.diagnosis, one.severity.word, one.subject, one.says, one.fix) for one in findings]
    columns = zip(*rows, strict=True) if rows else [()] * len(names)
    return pa.table(dict(zip(names, (pa.array(column, pa.string()) for column in columns), strict=True)))


def _tell(report: "Report") -> None:
    for unjudged in report.unjudged:
        say(f"{unjudged.diagnosis.name} could not judge: {unjudged.why}")
    if report.silent:
        say(f"nothing found: {', '.join(one.name for one in report.silent)}")
    for one in report.cut:
        say(f"{one.name}: there is more than is shown; a shorter time, a namespace or a workload shows the rest")
