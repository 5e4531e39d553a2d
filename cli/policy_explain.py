"""``tailrace policy explain``: why a rule is there, and whether one end can reach another."""

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from cli import options as o
from cli import policy_options as p
from cli.output import Format, dated, say, write
from cli.policy_inputs import Surroundings, surroundings
from cli.policy_options import PolicyFormat
from cli.policy_shown import ends_and_service, has_any, print_lines
from cli.printable import json_value
from cli.reading import window
from contract.errors import UsageError

if TYPE_CHECKING:
    import pyarrow as pa

    from analysis.policy.explain import Explanation, Told
    from analysis.policy.replay import Asked
    from analysis.policy.rules import Policies

SHOWN = ("src", "dst", "on", "connections", "failed", "bytes", "first_seen", "last_seen", "periodic", "decided_by")
MAY_BE_EMPTY = ("failed", "periodic", "decided_by")


def explain(
    files: p.FilesArgument,
    *,
    kube: p.KubeOption = None,
    lake: p.MaybeLakeOption = None,
    since: p.HistorySinceOption = None,
    until: p.HistoryUntilOption = None,
    cluster: o.ClusterOption = None,
    rule: Annotated[str, typer.Option("--rule", metavar="TEXT", help="Only rules that have this in their name.")] = "",
    src: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="END", help="Can it reach --to: NS/WORKLOAD, NS/POD, a node, address or domain."
        ),
    ] = None,
    dst: Annotated[
        str | None,
        typer.Option(
            "--to", metavar="END[:PORT[/PROTOCOL]]", help="The port as a number or name; left out, every port."
        ),
    ] = None,
    form: p.PolicyFormatOption = PolicyFormat.TABLE,
) -> None:
    """Which connections of history each rule decides; or, with --from and --to, whether and why one end reaches another.

    With --from and --to the exit status is 0 if every pod of the one can reach every pod of the other, else 3; without a
    port, if it can on any.
    """
    if (src is None) != (dst is None):
        raise UsageError("--from and --to go together")
    from analysis.policy.dialects import read_policies
    from analysis.policy.replay import Asked

    policies = read_policies(files)
    asked = Asked(**window(since, until, cluster))
    around = surroundings(lake, kube, asked)
    if src is not None and dst is not None:
        from analysis.policy.reach import reach
        from cli.policy_reach import show

        seen = around.history.endpoints if around.history else ()
        show(reach(policies, around.known, src, dst, seen), (src, dst), around.history, form)
    else:
        _rules(policies, around, asked, rule, form)


def _rules(policies: "Policies", around: Surroundings, asked: "Asked", text: str, form: PolicyFormat) -> None:
    from analysis.policy.explain import explain as explained
    from analysis.policy.replay import missed_by_captures
    from analysis.policy.summary import doubts, homeless, judged

    if around.history is None or around.lake is None:
        raise UsageError("give --lake to see what used each rule, or --from and --to to ask who reaches whom")
    found = explained(policies, around.history, text)
    missed = missed_by_captures(around.lake, around.known, asked, around.history.window)
    words = [
        judged(around.history),
        *around.reading,
        *missed,
        *doubts(around.history),
        *homeless(policies),
        found.summary,
    ]
    {PolicyFormat.TABLE: _report, PolicyFormat.JSON: _json, PolicyFormat.CSV: _csv}[form](found, words)


def _report(found: "Explanation", words: list[str]) -> None:
    from analysis.policy.explain import NOTHING_USED_IT

    print_lines(*words)
    for told in found.rules:
        rows = found.of(told)
        print_lines("", _title(told) + ("" if rows.num_rows else f": {NOTHING_USED_IT}"))
        if rows.num_rows:
            write(_for_people(rows), Format.TABLE)


def _title(told: "Told") -> str:
    return f"{told.rule.origin} ({told.rule.action})"


def _for_people(rows: "pa.Table") -> "pa.Table":
    import pyarrow as pa

    shown = {name: rows[name] for name in rows.schema.names} | ends_and_service(rows)
    empty = [name for name in MAY_BE_EMPTY if not has_any(rows[name])]
    return pa.table({name: shown[name] for name in SHOWN if name not in empty})


def _json(found: "Explanation", words: list[str]) -> None:
    rules = [
        {
            "rule": told.rule.origin,
            "direction": told.section.direction.value,
            "action": told.rule.action.value,
            "edges": dated(found.of(told).drop_columns(["rule", "direction", "action"])).to_pylist(),
        }
        for told in found.rules
    ]
    sys.stdout.write(json.dumps(json_value({"summary": words, "rules": rules}), allow_nan=False, indent=1) + "\n")


def _csv(found: "Explanation", words: list[str]) -> None:
    import pyarrow as pa

    for line in words:
        say(line)
    unused = [
        {"rule": told.rule.origin, "direction": told.section.direction.value, "action": told.rule.action.value}
        for told in found.unused
    ]
    write(pa.concat_tables([found.rows, pa.Table.from_pylist(unused, schema=found.rows.schema)]), Format.CSV)
