"""``tailrace policy replay``: what a set of policies would have done to history."""

import json
import sys
from typing import TYPE_CHECKING

import typer

from cli import options as o
from cli import policy_options as p
from cli.output import Format, say, write
from cli.policy_options import PolicyFormat
from cli.policy_shown import ends_and_service, has_any, print_lines
from cli.printable import json_value
from cli.reading import open_lake, window

if TYPE_CHECKING:
    import pyarrow as pa

    from analysis.policy.replay import Replay

DENIES = 3

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


def replay(
    files: p.FilesArgument,
    *,
    lake: o.LakeOption,
    kube: p.KubeOption = None,
    since: o.SinceOption = None,
    until: o.UntilOption = None,
    cluster: o.ClusterOption = None,
    form: p.PolicyFormatOption = PolicyFormat.TABLE,
) -> None:
    """What these policies would have denied, and what they allow that nobody used.

    Exit status 3 if anything would be denied that was ever answered, else 0. An edge looks periodic if it had four or
    more bursts of connections at equal distances (to a tenth), or if a CronJob opened it.
    """
    from analysis.policy.dialects import read_policies
    from analysis.policy.recommend.cluster import read_cluster
    from analysis.policy.replay import Asked
    from analysis.policy.replay import replay as replayed

    policies = read_policies(files)
    asked = Asked(**window(since, until, cluster))
    opened = open_lake(lake, cluster)
    found = replayed(opened, policies, read_cluster(p.objects(opened, kube, cluster)), asked)
    {PolicyFormat.TABLE: _report, PolicyFormat.JSON: _json, PolicyFormat.CSV: _csv}[form](found)
    if found.denies:
        raise typer.Exit(DENIES)


def _report(found: "Replay") -> None:
    from analysis.policy.findings import Finding

    print_lines(*found.summary)
    for finding in Finding:
        rows = found.of(finding)
        if rows.num_rows:
            print_lines("", f"{finding.value}:")
            write(_for_people(rows), Format.TABLE)
    if found.unused.num_rows:
        print_lines("", "allowed and never used:")
        write(found.unused, Format.TABLE)


def _for_people(rows: "pa.Table") -> "pa.Table":
    import pyarrow as pa

    shown = {name: rows[name] for name in rows.schema.names} | ends_and_service(rows)
    empty = [name for name in ("direction", "failed", "ambiguous", "periodic") if not has_any(rows[name])]
    return pa.table({name: shown[name] for name in SHOWN if name not in empty})


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
