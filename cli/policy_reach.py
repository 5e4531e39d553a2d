"""What ``tailrace policy explain --from … --to …`` shows."""

import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import typer

from cli.output import Format, dated, write
from cli.policy_options import PolicyFormat
from cli.policy_shown import print_lines
from cli.printable import json_value

if TYPE_CHECKING:
    from analysis.policy.history import History
    from analysis.policy.reach import Answer, Reach

NOT_REACHABLE = 3
STATES = ("denied", "undecided", "allowed")


def show(found: "Reach", asked: tuple[str, str], history: "History | None", form: PolicyFormat) -> None:
    """``asked`` are the ends as they were given."""
    from analysis.policy.seen import seen

    spans = {span for answer in found.answers for span in answer.spans}
    table = None if history is None else seen(history, *asked, spans)
    rows = None if table is None else dated(table).to_pylist()
    if form is PolicyFormat.TABLE:
        print_lines(*_lines(found, asked, rows))
    elif form is PolicyFormat.JSON:
        whole = {"reachable": found.reachable, "answers": list(_answers(found)), "history": rows}
        sys.stdout.write(json.dumps(json_value(whole), allow_nan=False, indent=1) + "\n")
    else:
        _csv(found)
    if not found.reachable:
        raise typer.Exit(NOT_REACHABLE)


def _lines(found: "Reach", asked: tuple[str, str], rows: list[dict[str, Any]] | None) -> Iterator[str]:
    from analysis.policy.ports import told

    kinds = {answer.state for answer in found.answers}
    yes = "Yes" if found.reachable else "Not all" if len(kinds) > 1 else "No"
    yield f"{yes}: {asked[0]} → {asked[1]}"
    for answer in found.answers:
        yield ""
        yield f"{told(answer.spans)}: {_state(answer)}{_of_which(found, answer)}"
        yield f"  egress of src: {answer.egress}"
        yield f"  ingress of dst: {answer.ingress}"
        yield from (f"  near: {line}" for line in answer.near)
    if rows is not None:
        yield ""
        yield from _history(rows)


def _state(answer: "Answer") -> str:
    note = ", by the address of a pod, which is up to the network plugin" if answer.by_address else ""
    return STATES[answer.state] + note


def _of_which(found: "Reach", answer: "Answer") -> str:
    """Which pods, where they differ."""
    from analysis.policy.reasons import named

    return "" if len(answer.pairs) == found.pairs else f" ({named(answer.pairs)})"


def _history(rows: list[dict[str, Any]]) -> Iterator[str]:
    from analysis.words import counted
    from cli.protocols import service

    if not rows:
        yield "History never saw it."
    for row in rows:
        failed = f", {row['failed']:,} failed" if row["failed"] else ""
        count = counted(row["connections"], "connection")
        span = f"from {row['first_seen']} to {row['last_seen']}"
        yield f"History: {service(row['protocol'], row['port'])}: {count}{failed}, {row['bytes']:,} bytes, {span}"


def _answers(found: "Reach") -> Iterator[dict[str, Any]]:
    from analysis.policy.ports import told
    from analysis.policy.reasons import pod

    for answer in found.answers:
        yield {
            "on": told(answer.spans),
            "state": STATES[answer.state],
            "by_address": answer.by_address,
            "pairs": [[pod(src), pod(dst)] for src, dst in answer.pairs],
            "egress": answer.egress,
            "ingress": answer.ingress,
            "near": list(answer.near),
        }


def _csv(found: "Reach") -> None:
    import pyarrow as pa

    write(pa.Table.from_pylist(list(_answers(found))), Format.CSV)
