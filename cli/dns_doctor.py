"""``tailrace dns doctor``: what is wrong with the names of a cluster, what that costs, and what to change."""

from typing import Annotated

import typer

from cli import options as o
from cli.output import Format
from cli.reading import TIMEOUT_S, open_lake, place, tell_judged, window


def doctor(
    *,
    lake: o.LakeOption,
    diagnoses: Annotated[
        list[str] | None, typer.Option("--diagnosis", metavar="NAME", help="Only this one; may be repeated.")
    ] = None,
    namespace: Annotated[str | None, typer.Option("--namespace", "-n", help="Namespace of the client.")] = None,
    workload: Annotated[str | None, typer.Option("--workload", help="Workload of the client.")] = None,
    since: o.SinceOption = None,
    until: o.UntilOption = None,
    cluster: o.ClusterOption = None,
    timeout: o.TimeoutOption = TIMEOUT_S,
    form: o.FormatOption = Format.TABLE,
) -> None:
    """What is wrong with the names of a cluster, and what to change.

    Each finding says whose it is, what is wrong, the fix, what that would do, and how to see the transactions; the worst
    come first. A diagnosis that cannot judge is named, with the reason. The exit status is 0 whatever is found.
    """
    from analysis.dns.doctor import DIAGNOSES, examine_each
    from cli.findings import Shown, show

    opened = open_lake(lake, cluster)
    chosen = window(since, until, cluster)
    asked = {"namespace": namespace, "workload": workload, **chosen}
    report = examine_each(opened, asked, diagnoses or (), timeout)
    show(report, Shown({one.name: one.title for one in DIAGNOSES}, place(lake, chosen)), form)
    tell_judged(opened, report, asked, timeout)
