"""``tailrace policy …``: what network policies do to what was seen."""

import json
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from analysis.printable import printable
from cli import options as o
from cli.output import Format, say, write
from cli.policy_recommend import recommend
from cli.printable import json_value
from cli.protocols import NAMES
from cli.reading import window

if TYPE_CHECKING:
    import pyarrow as pa

    from analysis.policy.replay import Replay

DENIES = 3

policy = typer.Typer(no_args_is_help=True, help="Network policy against history.", rich_markup_mode=None)


class PolicyFormat(StrEnum):
    TABLE = "table"
    JSON = "json"
    CSV = "csv"


SHOWN = (
    "src",
    "dst",
    "on",
    "direction",
    "connections",
    "failed",
    "ambiguous",
    "bytes",
    "first_seen",
    "last_seen",
    "periodic",
    "reason",
)


policy.command()(recommend)


@policy.command()
def replay(
    files: Annotated[
        list[str], typer.Argument(metavar="FILES", help="Policies as YAML or JSON; a folder stands for its files.")
    ],
    *,
    lake: o.LakeOption,
    kube: Annotated[
        str,
        typer.Option(
            "--kube", metavar="FILE-or-DIR", help="The cluster's objects: kubectl get -A -o json, or manifests."
        ),
    ],
    since: o.SinceOption = None,
    until: o.UntilOption = None,
    cluster: Annotated[str | None, typer.Option("--cluster", help="Which cluster, where the lake has several.")] = None,
    form: Annotated[
        PolicyFormat, typer.Option("--format", "-o", help="A report to read, or json, csv for programs.")
    ] = PolicyFormat.TABLE,
) -> None:
    """What these policies would have denied, and what they allow that nobody used.

    Exit status 3 if anything would be denied that was ever answered, else 0. An edge looks periodic if it had four or
    more bursts of connections at equal distances (to a tenth), or if a CronJob opened it.
    """
    from analysis.policy.dialects import read_policies
    from analysis.policy.replay import Asked
    from analysis.policy.replay import replay as replayed
    from analysis.policy.topology import read_endpoints
    from store.lake import Lake

    policies = read_policies(files)
    asked = Asked(**window(since, until), cluster=cluster)
    found = replayed(Lake.open(lake), policies, read_endpoints(kube), asked)
    {PolicyFormat.TABLE: _report, PolicyFormat.JSON: _json, PolicyFormat.CSV: _csv}[form](found)
    if found.denies:
        raise typer.Exit(DENIES)


def _report(found: "Replay") -> None:
    from analysis.policy.findings import Finding

    _print(*found.summary)
    for finding in Finding:
        rows = found.of(finding)
        if rows.num_rows:
            _print("", f"{finding.value}:")
            write(_for_people(rows), Format.TABLE)
    if found.unused.num_rows:
        _print("", "allowed and never used:")
        write(found.unused, Format.TABLE)


def _print(*lines: str) -> None:
    sys.stdout.write("".join(printable(line) + "\n" for line in lines))


def _for_people(rows: "pa.Table") -> "pa.Table":
    import pyarrow as pa
    import pyarrow.compute as pc

    shown = {name: rows[name] for name in rows.schema.names}
    for side in ("src", "dst"):
        namespace = pc.fill_null(pc.binary_join_element_wise(rows[f"{side}_namespace"], "", "/"), "")
        shown[side] = pc.binary_join_element_wise(namespace, rows[f"{side}_name"], "")
    pairs = zip(rows["protocol"].to_pylist(), rows["port"].to_pylist(), strict=True)
    shown["on"] = pa.array([_on(protocol, port) for protocol, port in pairs], pa.string())
    empty = [name for name in ("direction", "failed", "ambiguous", "periodic") if not _has(rows[name])]
    return pa.table({name: shown[name] for name in SHOWN if name not in empty})


def _on(protocol: int, port: int | None) -> str:
    name = NAMES.get(protocol, str(protocol))
    return name if port is None else f"{name} {port}"


def _has(column: "pa.ChunkedArray") -> bool:
    return any(column.to_pylist())


def _json(found: "Replay") -> None:
    from cli.output import dated

    whole = {
        "since": found.window.since,
        "until": found.window.until,
        "summary": list(found.summary),
        "edges": dated(found.edges).to_pylist(),
        "unused": found.unused.to_pylist(),
    }
    sys.stdout.write(json.dumps(json_value(whole), allow_nan=False, indent=1) + "\n")


def _csv(found: "Replay") -> None:
    for line in found.summary:
        say(line)
    write(found.rows(), Format.CSV)
