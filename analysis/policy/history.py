"""The edges of a lake: what was seen, grouped to what a policy decides on, with the endpoints at its ends."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analysis.clusters import span_of
from analysis.policy.endpoints import Endpoint, Numbers
from analysis.policy.evaluate import Edges
from analysis.policy.owners import OUTSIDE, End, Owners, Row
from analysis.policy.rules import NO_PORT
from analysis.questions import ask
from contract.errors import QuestionError
from store.lake import Lake

TIMEOUT_S = 600.0

# Lengths of a tick, the shortest of which makes no more than so many of the window: a minute of a day, an hour of a quarter.
TICKS_S = (60, 300, 900, 3600, 6 * 3600, 24 * 3600)
MOST_TICKS = 3000

SIDES = ("src", "dst")


@dataclass(frozen=True)
class Window:
    """What was asked for of the time from the first to the last record."""

    since: datetime
    until: datetime

    @property
    def tick_s(self) -> int:
        seconds = (self.until - self.since).total_seconds()
        return next((tick for tick in TICKS_S if seconds <= tick * MOST_TICKS), TICKS_S[-1])


@dataclass(frozen=True)
class History:
    """``rows[i]`` was seen on ``edges[i]``; of ``unresolved`` nobody knows which pod it was."""

    window: Window
    rows: pa.Table
    edges: Edges
    endpoints: Sequence[Endpoint]
    unresolved: pa.Table

    @property
    def nameless(self) -> set[int]:
        """Endpoints at an address that nobody is known to have held."""
        found: set[int] = set()
        for side in SIDES:
            rows = self.rows[f"{side}_kind"].is_null().to_numpy()
            found.update(np.unique(getattr(self.edges, side)[rows]).tolist())
        return found


def window_of(lake: Lake, since: datetime | None, until: datetime | None, cluster: str | None = None) -> Window | None:
    """None of an empty lake; as asked where that is none of its time."""
    span = span_of(lake, cluster)
    if span is None:
        return None
    first, last = since or span[0], until or span[1]
    shared = Window(max(first, span[0]), min(last, span[1]))
    return shared if shared.since <= shared.until else Window(first, last)


def read_history(
    lake: Lake,
    known: Sequence[Endpoint],
    window: Window,
    since: datetime | None = None,
    until: datetime | None = None,
    cluster: str | None = None,
) -> History:
    """``known`` are the endpoints of the Kubernetes objects; the records are those of [since, until)."""
    bounds: Mapping[str, object] = {"since": since, "until": until, "cluster": cluster}
    rows = ask(lake, "policy/history", {**bounds, "tick": window.tick_s}, None, TIMEOUT_S).table
    _refuse_several_clusters(rows)
    ends, numbers = _distinct(pa.concat_tables([_ends(rows, side) for side in SIDES]))
    pods = {(end.namespace, end.pod) for end in ends if end.pod is not None}
    recorded = _recorded(lake, bounds, pods - {(one.namespace, one.name) for one in known})
    owners = Owners(known, recorded)
    return _matched(window, rows, [owners.endpoint(end) for end in ends], numbers.reshape(2, -1))


def _refuse_several_clusters(rows: pa.Table) -> None:
    clusters = pc.unique(rows["cluster"]).to_pylist()
    if len(clusters) > 1:
        names = ", ".join(sorted(map(repr, clusters)))
        raise QuestionError(f"the lake has records of several clusters ({names}); name one of them")


def _ends(rows: pa.Table, side: str) -> pa.Table:
    columns = {name: rows[f"{side}_{name}"] for name in End._fields if name != "domain"}
    nothing = pa.scalar(None, pa.string())
    outside = pc.fill_null(pc.is_in(columns["kind"], pa.array(OUTSIDE, pa.string())), False)
    columns["domain"] = pc.if_else(outside, rows["dst_domain"] if side == "dst" else nothing, nothing)
    return pa.table({name: columns[name] for name in End._fields})


def _distinct(ends: pa.Table) -> tuple[list[End], Numbers]:
    """Each end once, in the order of their first rows, and for each row the number of its end."""
    numbers = np.zeros(ends.num_rows, np.int64)
    for column in ends.columns:
        codes = column.combine_chunks().dictionary_encode("encode").indices.to_numpy()
        _, first, numbers = np.unique(numbers * len(codes) + codes, return_index=True, return_inverse=True)
    order = np.argsort(first)
    places = np.empty(len(order), np.int64)
    places[order] = np.arange(len(order))
    columns = (column.to_pylist() for column in ends.take(pa.array(first[order])).columns)
    return [End(*values) for values in zip(*columns, strict=True)], places[numbers]


def _recorded(lake: Lake, bounds: Mapping[str, object], missing: set[tuple[str | None, str]]) -> list[Row]:
    """What the lake knows of pods; the labels in its flows are read only if a pod has no assignment."""
    pods: list[Row] = ask(lake, "policy/pods", bounds, None, TIMEOUT_S).table.to_pylist()
    if not missing - {(row["namespace"], row["name"]) for row in pods}:
        return pods
    labels: list[Row] = ask(lake, "policy/labels", bounds, None, TIMEOUT_S).table.to_pylist()
    return labels + pods


def _matched(window: Window, rows: pa.Table, found: Sequence[Endpoint | None], numbers: Numbers) -> History:
    """``numbers`` has for src and for dst which of ``found`` each row's end is."""
    known = np.array([one is not None for one in found], np.bool_)
    resolved = known[numbers].all(axis=0)
    src, dst = (np.cumsum(known) - 1)[numbers[:, resolved]]
    kept = rows.filter(pa.array(resolved))
    edges = Edges(
        src=src,
        dst=dst,
        protocol=kept["protocol"].to_numpy().astype(np.int64),
        port=pc.fill_null(kept["port"], NO_PORT).to_numpy().astype(np.int64),
    )
    endpoints = [one for one in found if one is not None]
    return History(window, kept, edges, endpoints, rows.filter(pa.array(~resolved)))
