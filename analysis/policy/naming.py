"""Names for many ends at a time: of pods their workloads, or their namespace if all of it is meant; of addresses blocks."""

from collections.abc import Collection, Iterable, Iterator
from typing import TypeVar

import numpy as np

from analysis.policy import outside
from analysis.policy.endpoints import Endpoint, Workload
from analysis.policy.space import Space

K = TypeVar("K")
V = TypeVar("V")

EVERY_POD = "every pod"
EVERY_NODE = "every node"
OWN_NODE = "its own node"


def workload_of(pod: Endpoint) -> Workload:
    kind, name = pod.workload or ("Pod", pod.name)
    return Workload(pod.namespace or "", name, kind)


def is_own(one: Endpoint) -> bool:
    """A pod with a network of its own."""
    return one.kind == "pod" and not one.host_network


class Names:
    """Of behaviours; those that only history has are named by what it saw."""

    def __init__(self, space: Space) -> None:
        self._space = space
        known = range(space.known)
        self._pods = _grouped((workload_of(space.endpoints[row]), row) for row in known if is_own(space.endpoints[row]))
        self._nodes = [row for row in known if not is_own(space.endpoints[row])]
        self._alike = {name for name in self._pods if len([one for one in self._pods if one[:2] == name[:2]]) > 1}
        self._gone = set(space.behaviour[space.recorded :].tolist()) - set(space.behaviour[: space.recorded].tolist())

    def of(self, places: Collection[int]) -> tuple[str, ...]:
        behaviours = [place for place in places if place < self._space.behaviours]
        rows = np.flatnonzero(np.isin(self._space.behaviour, list(behaviours)))
        inside = set(rows[rows < self._space.known].tolist())
        blocks = rows[(rows >= self._space.known) & (rows < self._space.recorded)] - self._space.known
        return (
            *self._pods_of(inside),
            *self._nodes_of(inside),
            *self._own_nodes_of(places),
            *outside.names([self._space.blocks[number] for number in blocks.tolist()]),
            *self._gone_of(behaviours),
        )

    def _pods_of(self, rows: set[int]) -> Iterator[str]:
        whole = {name for name, members in self._pods.items() if members <= rows}
        if len(whole) == len(self._pods) > 1:
            yield EVERY_POD
            return
        for namespace, names in sorted(_grouped((name.namespace, name) for name in self._pods).items()):
            if names <= whole and len(names) > 1:
                yield f"{namespace}/*"
                continue
            for name in sorted(names):
                if self._pods[name] & rows:
                    yield self._workload(name, self._pods[name] & rows)

    def _workload(self, name: Workload, rows: set[int]) -> str:
        said = f"{name.namespace}/{name.name}" + (f" ({name.kind})" if name in self._alike else "")
        if rows == self._pods[name]:
            return said
        pods = sorted(
            {f"{one.name} {one.address or ''}".strip() for one in map(self._space.endpoints.__getitem__, rows)}
        )
        return f"{said} of which {', '.join(pods)}"

    def _nodes_of(self, rows: set[int]) -> Iterator[str]:
        found = [self._space.endpoints[row] for row in self._nodes if row in rows]
        if len(found) == len(self._nodes) > 1:
            yield EVERY_NODE
            return
        yield from sorted({one.name if one.kind == "node" else f"{one.namespace}/{one.name}" for one in found})

    def _own_nodes_of(self, places: Collection[int]) -> Iterator[str]:
        """The node of the pod at the other end; which one it is matters only where nodes behave in several ways."""
        own = range(self._space.behaviours, self._space.size)
        found = [self._space.own_nodes[place - self._space.behaviours] for place in places if place in own]
        if found:
            rows = set(np.flatnonzero(np.isin(self._space.behaviour[: self._space.known], found)).tolist())
            yield OWN_NODE + ("" if len(found) == len(own) else f" if {', '.join(self._nodes_of(rows))}")

    def _gone_of(self, behaviours: Collection[int]) -> Iterable[str]:
        gone = self._gone & set(behaviours)
        rows = range(self._space.recorded, len(self._space.endpoints))
        found = {_seen(self._space.endpoints[row]) for row in rows if int(self._space.behaviour[row]) in gone}
        return sorted(found)


def _seen(one: Endpoint) -> str:
    if one.kind == "pod":
        found = workload_of(one)
        return f"{found.namespace}/{found.name}"
    return f"{one.domain} ({one.address})" if one.domain else one.name


def _grouped(pairs: Iterable[tuple[K, V]]) -> dict[K, set[V]]:
    found: dict[K, set[V]] = {}
    for key, value in pairs:
        found.setdefault(key, set()).add(value)
    return found
