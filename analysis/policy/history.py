"""The edges of a lake: what was seen, grouped to what a policy decides on, with the endpoints at its ends."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analysis.policy.endpoints import Endpoint, Mask, Numbers
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
    """[since, until) where they were asked for, else from the first to the last record."""

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


def window_of(lake: Lake, since: datetime | None, until: datetime | None) -> Window | None:
    """None of an empty lake."""
    span = lake.span()
    return None if span is None else Window(since or span[0], until or span[1])


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
    ends = {side: _ends(rows, side) for side in SIDES}
    pods = {(end.namespace, end.pod) for side in SIDES for end in ends[side] if end.pod is not None}
    recorded = _recorded(lake, bounds, pods - {(one.namespace, one.name) for one in known})
    return _matched(window, rows, ends, Owners(known, recorded))


def _refuse_several_clusters(rows: pa.Table) -> None:
    clusters = pc.unique(rows["cluster"]).to_pylist()
    if len(clusters) > 1:
        names = ", ".join(sorted(map(repr, clusters)))
        raise QuestionError(f"the lake has records of several clusters ({names}); name one of them")


def _ends(rows: pa.Table, side: str) -> list[End]:
    columns = [rows[f"{side}_{name}"].to_pylist() for name in End._fields if name != "domain"]
    domains = rows["dst_domain"].to_pylist() if side == "dst" else [None] * rows.num_rows
    ends = (End(*values) for values in zip(*columns, strict=True))
    return [
        end._replace(domain=domain) if domain and end.kind in OUTSIDE else end
        for end, domain in zip(ends, domains, strict=True)
    ]


def _recorded(lake: Lake, bounds: Mapping[str, object], missing: set[tuple[str | None, str]]) -> list[Row]:
    """What the lake knows of pods; the labels in its flows are read only if a pod has no assignment."""
    pods: list[Row] = ask(lake, "policy/pods", bounds, None, TIMEOUT_S).table.to_pylist()
    if not missing - {(row["namespace"], row["name"]) for row in pods}:
        return pods
    labels: list[Row] = ask(lake, "policy/labels", bounds, None, TIMEOUT_S).table.to_pylist()
    return labels + pods


def _matched(window: Window, rows: pa.Table, ends: Mapping[str, list[End]], owners: Owners) -> History:
    endpoints: list[Endpoint] = []
    numbers: dict[End, int | None] = {}
    for end in dict.fromkeys((*ends["src"], *ends["dst"])):
        found = owners.endpoint(end)
        numbers[end] = None if found is None else len(endpoints)
        endpoints += [] if found is None else [found]
    src, dst = ([numbers[end] for end in ends[side]] for side in SIDES)
    resolved = np.array([a is not None and b is not None for a, b in zip(src, dst, strict=True)], np.bool_)
    kept = rows.filter(pa.array(resolved))
    edges = Edges(
        src=_indices(src, resolved),
        dst=_indices(dst, resolved),
        protocol=kept["protocol"].to_numpy().astype(np.int64),
        port=pc.fill_null(kept["port"], NO_PORT).to_numpy().astype(np.int64),
    )
    return History(window, kept, edges, endpoints, rows.filter(pa.array(~resolved)))


def _indices(numbers: Sequence[int | None], resolved: Mask) -> Numbers:
    kept = [number for number, known in zip(numbers, resolved, strict=True) if known]
    return np.array(kept, np.int64)
