"""Which connections one set of policies allows that another does not."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analysis.policy.blast import Blast, blast_of, compared
from analysis.policy.changes import Change, Changes, Step
from analysis.policy.endpoints import ABSENT, Endpoint, Numbers
from analysis.policy.evaluate import evaluate
from analysis.policy.findings import COUNTS, SUMS
from analysis.policy.grid import Grid, states_of
from analysis.policy.history import History
from analysis.policy.naming import Names
from analysis.policy.ports import told
from analysis.policy.rules import Policies
from analysis.policy.space import Space, space_of
from analysis.words import counted

ENDS = pa.list_(pa.string())
CHANGED = pa.schema(
    [
        ("change", pa.string()),
        ("src", ENDS),
        ("dst", ENDS),
        ("on", pa.string()),
        ("undecided", pa.string()),
        *COUNTS,
    ]
)
OPENS, CLOSES = "opens", "closes"


@dataclass(frozen=True)
class Diff:
    """``rows`` have what history saw of each change, or NULL where no history was asked.

    Of ``on``, ``undecided`` was or becomes what no policy can name between ends that some policy isolates.
    """

    rows: pa.Table
    summary: Sequence[str]
    before: Blast
    after: Blast

    @property
    def same(self) -> bool:
        return not self.rows.num_rows


def diff(before: Policies, after: Policies, known: Sequence[Endpoint], history: History | None = None) -> Diff:
    space = space_of((before, after), known, history.endpoints if history else ())
    grids = Grid(space, 0), Grid(space, 1)
    changes = Changes(*grids, len(space.ports.classes))
    used, unplaced = _used(changes, before, after, space, history) if history else ({}, 0)
    names = Names(space)
    nothing = {"connections": 0, "failed": 0, "ambiguous": 0, "bytes": 0} if history else {}
    rows = [_row(change, space, names) | nothing | used.get(number, {}) for number, change in enumerate(changes.found)]
    table = pa.Table.from_pylist(sorted(rows, key=_order), schema=CHANGED)
    blasts = blast_of(grids[0], space), blast_of(grids[1], space)
    return Diff(table, [*_outcome(table, history), *_unplaced(unplaced), *compared(*blasts)], *blasts)


def _row(change: Change, space: Space, names: Names) -> dict[str, Any]:
    return {
        "change": OPENS if change.opens else CLOSES,
        "src": list(names.of(change.sources)),
        "dst": list(names.of(change.targets)),
        "on": _on(change.steps, space),
        "undecided": _on([step for step in change.steps if step.undecided], space),
    }


def _on(steps: Sequence[Step], space: Space) -> str | None:
    return told(span for step in steps for span in space.ports.classes[step.number].spans) if steps else None


def _order(row: Mapping[str, Any]) -> tuple[object, ...]:
    return row["change"], -row.get("connections", 0), row["src"], row["dst"], row["on"]


def _used(
    changes: Changes, before: Policies, after: Policies, space: Space, history: History
) -> tuple[dict[int, dict[str, Any]], int]:
    """What history saw of each change, and how many connections change that are in none."""
    states = [states_of(evaluate(policies, history.endpoints, history.edges)) for policies in (before, after)]
    at = np.flatnonzero(states[0] != states[1])
    numbers = _placed(changes, space, history, at)
    sums = [(name, SUMS.get(name, "sum")) for name in COUNTS.names]
    counts = history.rows.select(COUNTS.names).take(pa.array(at)).append_column("change", pa.array(numbers))
    found = counts.group_by("change", use_threads=False).aggregate(sums)
    rows = {row.pop("change"): row for row in found.to_pylist()}
    named = {number: {name: row[f"{name}_{how}"] for name, how in sums} for number, row in rows.items()}
    unplaced = named.pop(ABSENT, {"connections": 0})
    return named, unplaced["connections"]


def _placed(changes: Changes, space: Space, history: History, at: Numbers) -> Numbers:
    src, dst, protocol, port = (column[at] for column in history.edges)
    ends = src + space.recorded, dst + space.recorded
    return changes.numbers(space.places(*ends), space.places(*ends[::-1]), space.ports.numbers(protocol, port))


def _outcome(rows: pa.Table, history: History | None) -> Iterator[str]:
    if not rows.num_rows:
        yield "The same: every connection that one set allows the other allows too."
    for change, verb in ((CLOSES, "would close"), (OPENS, "would open")):
        found = rows.filter(pc.equal(rows["change"], change))
        if found.num_rows:
            seen = int(pc.sum(found["connections"]).as_py() or 0)
            used = f"; history has {counted(seen, 'connection')} of them" if history else ""
            yield f"{counted(found.num_rows, 'kind')} of connections {verb}{used}."


def _unplaced(connections: int) -> Iterator[str]:
    if connections:
        count = counted(connections, "connection")
        yield f"{count} of history would change too that is in none of them: on port 0, or where a pod's node is not known."
