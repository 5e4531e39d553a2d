"""``tailrace policy diff``: what another set of policies would change."""

import json
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import options as o
from cli import policy_options as p
from cli.output import Format, dated, say, write
from cli.policy_inputs import surroundings
from cli.policy_options import PolicyFormat
from cli.policy_shown import abridged, has_any, print_lines
from cli.printable import json_value
from cli.reading import window

if TYPE_CHECKING:
    import pyarrow as pa

    from analysis.policy.blast import Blast
    from analysis.policy.diff import Diff
    from analysis.policy.rules import Policies

NO_POLICIES = "none"
DIFFERENT = 3
HELP = f"A file of policies or a folder of them; the word {NO_POLICIES} is no policies."


def diff(
    before: Annotated[str, typer.Argument(metavar="A", help=HELP)],
    after: Annotated[str, typer.Argument(metavar="B", help="The same.")],
    *,
    kube: p.KubeOption = None,
    lake: p.MaybeLakeOption = None,
    since: p.HistorySinceOption = None,
    until: p.HistoryUntilOption = None,
    cluster: o.ClusterOption = None,
    form: p.PolicyFormatOption = PolicyFormat.TABLE,
) -> None:
    """Which connections B allows that A does not, and the other way round.

    What is compared is what the policies do, port by port and address by address, not how they are written. With a
    lake, how often each connection was seen that would open or close. Exit status 3 if there is a difference, else 0.
    """
    from analysis.policy.diff import diff as compared
    from analysis.policy.replay import Asked

    sets = _policies(before), _policies(after)
    around = surroundings(lake, kube, Asked(**window(since, until, cluster)))
    found = compared(*sets, around.known, around.history)
    found = replace(found, summary=[*around.reading, *found.summary])
    {PolicyFormat.TABLE: _report, PolicyFormat.JSON: _json, PolicyFormat.CSV: _csv}[form](found)
    if not found.same:
        raise typer.Exit(DIFFERENT)


def _policies(path: str) -> "Policies":
    from analysis.policy.dialects import read_policies
    from analysis.policy.rules import Policies

    return Policies(()) if path == NO_POLICIES else read_policies([path])


def _report(found: "Diff") -> None:
    print_lines(*found.summary)
    if found.rows.num_rows:
        print_lines("")
        write(_for_people(found.rows), Format.TABLE)


def _for_people(rows: "pa.Table") -> "pa.Table":
    import pyarrow as pa

    shown = {name: abridged(rows[name]) if name in ("src", "dst") else rows[name] for name in rows.schema.names}
    return pa.table({name: column for name, column in shown.items() if has_any(column)})


def _json(found: "Diff") -> None:
    whole = {
        "same": found.same,
        "summary": list(found.summary),
        "reach": {"before": _reach(found.before), "after": _reach(found.after)},
        "rows": dated(found.rows).to_pylist(),
    }
    sys.stdout.write(json.dumps(json_value(whole), allow_nan=False, indent=1) + "\n")


def _reach(blast: "Blast") -> dict[str, Any]:
    columns = (blast.reached, blast.reached_in_steps, blast.inward, blast.outward)
    rows = zip(blast.workloads, *(column.tolist() for column in columns), strict=True)
    names = ("reaches", "reaches_in_steps", "reached_from_outside", "reaches_outside")
    return {
        "pairs": blast.pairs,
        "all_pairs": blast.all_pairs,
        "port_classes": blast.classes,
        "pairs_on_ports": blast.pairs_on_ports,
        "workloads": [workload._asdict() | dict(zip(names, values, strict=True)) for workload, *values in rows],
    }


def _csv(found: "Diff") -> None:
    for line in found.summary:
        say(line)
    write(found.rows, Format.CSV)
