"""``tailrace detect``: what in the names may be an attack."""

from typing import Annotated

import typer

from cli import options as o
from cli.output import Format
from cli.reading import TIMEOUT_S, open_lake, place, tell_judged, window


def detect(
    *,
    lake: o.LakeOption,
    detections: Annotated[
        list[str] | None, typer.Option("--detection", metavar="NAME", help="Only this one; may be repeated.")
    ] = None,
    known: Annotated[
        list[str] | None,
        typer.Option("--known", metavar="DOMAIN", help="A registered domain that is no attack; may be repeated."),
    ] = None,
    namespace: Annotated[str | None, typer.Option("--namespace", "-n", help="Namespace of the client.")] = None,
    workload: Annotated[str | None, typer.Option("--workload", help="Workload of the client.")] = None,
    since: o.SinceOption = None,
    until: o.UntilOption = None,
    cluster: o.ClusterOption = None,
    timeout: o.TimeoutOption = TIMEOUT_S,
    form: o.FormatOption = Format.TABLE,
) -> None:
    """Tunnels in names, made-up domains, fast flux, rebinding, look-alikes of domains in use: the worst first.

    The exit status is 0 whatever is found. A detection that cannot judge is named, with the reason.
    """
    from analysis.detect.detections import DETECTIONS
    from analysis.detect.detections import detect as detected
    from analysis.detect.known import KNOWN
    from cli.findings import Shown, show

    opened = open_lake(lake, cluster)
    chosen = window(since, until, cluster)
    asked = {"namespace": namespace, "workload": workload, **chosen}
    all_known = KNOWN | {name.lower().rstrip(".") for name in known or ()}
    report = detected(opened, asked, detections or (), all_known, timeout)
    show(report, Shown({one.name: one.title for one in DETECTIONS}, place(lake, chosen)), form)
    tell_judged(opened, report, asked, timeout)
