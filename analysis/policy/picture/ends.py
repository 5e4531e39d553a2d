"""The node of a picture that each endpoint is drawn as: pods by their workload, addresses outside by their name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from analysis.graph import node_id
from analysis.policy.endpoints import Endpoint, Mask, Numbers
from analysis.policy.evaluate import Edges
from analysis.policy.history import SIDES, History


class End(NamedTuple):
    """What the service graph knows of a node, too."""

    kind: str | None
    namespace: str | None
    workload_kind: str | None
    name: str

    @property
    def id(self) -> str:
        return node_id(*self)

    @property
    def told(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


@dataclass(frozen=True)
class Scope:
    """Whose edges are drawn."""

    namespace: str
    workload: str | None = None

    def holds(self, end: End) -> bool:
        return end.namespace == self.namespace and self.workload in (None, end.name)


class Ends:
    """``endpoints`` are those of history, then those of the cluster as it is; ``of[i]`` is the number of i's end."""

    def __init__(self, history: History, known: Sequence[Endpoint]) -> None:
        self.endpoints = [*history.endpoints, *known]
        unnamed = history.nameless
        numbers: dict[End, int] = {}
        of = [numbers.setdefault(_end(one, row in unnamed), len(numbers)) for row, one in enumerate(self.endpoints)]
        self.of = np.array(of, np.int64)
        self.ends = list(numbers)
        self._inside: dict[Scope, Mask] = {}
        self.now = np.arange(len(of)) >= len(history.endpoints)

    def inside(self, scope: Scope) -> Mask:
        """For each endpoint whether it is of the scope."""
        if scope not in self._inside:
            self._inside[scope] = np.array([scope.holds(end) for end in self.ends], np.bool_)[self.of]
        return self._inside[scope]

    def names(self, endpoints: Numbers) -> set[str]:
        return {self.ends[number].told for number in np.unique(self.of[endpoints]).tolist()}


def within(history: History, known: Sequence[Endpoint], scope: Scope) -> History:
    """What touches the scope."""
    inside = Ends(history, known).inside(scope)
    near = inside[history.edges.src] | inside[history.edges.dst]
    unresolved = [any(scope.holds(named(row, side)) for side in SIDES) for row in history.unresolved.to_pylist()]
    return replace(
        history,
        rows=history.rows.filter(pa.array(near)),
        edges=Edges(*(column[near] for column in history.edges)),
        unresolved=history.unresolved.filter(pa.array(unresolved, pa.bool_())),
    )


def named(row: Mapping[str, Any], side: str) -> End:
    """The end of a row of history of which nobody knows the pod."""
    name = row[f"{side}_workload"] or (row["dst_domain"] if side == "dst" else None) or row[f"{side}_address"]
    return End(row[f"{side}_kind"], row[f"{side}_namespace"], row[f"{side}_workload_kind"], name)


def _end(one: Endpoint, unnamed: bool) -> End:
    if one.kind == "pod":
        return End("pod", one.namespace, *(one.workload or ("Pod", one.name)))
    if one.kind == "node":
        return End("node", None, "Node", one.name)
    return End(None if unnamed else "external", None, None, one.domain or one.address or one.name)
