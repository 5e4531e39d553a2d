"""Whose endpoint it is: the workload, node or address outside that an edge between workloads ends at."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from analysis.policy.endpoints import Endpoint
from analysis.policy.history import SIDES, History
from analysis.policy.recommend.cluster import Cluster
from analysis.policy.recommend.labels import Labelled, Population, matches
from analysis.policy.recommend.model import End, Node, Outside, Workload

Known = Mapping[tuple[str | None, str], Workload]


def ends_of(history: History, cluster: Cluster) -> list[End]:
    """One for each endpoint of history."""
    told = _told(history)
    unnamed = _unnamed(history)
    return [
        _end(one, told.get(number), number in unnamed, cluster.workloads)
        for number, one in enumerate(history.endpoints)
    ]


def _end(one: Endpoint, told: Workload | None, unnamed: bool, known: Known) -> End:
    """A pod that is gone is of the workload that the lake tells of; without one it is its own."""
    if one.kind == "node" or one.host_network:
        return Node(one.node or one.name, one.address or "")
    if one.kind == "pod":
        return known.get((one.namespace, one.name)) or told or Workload(one.namespace or "", one.name, "Pod")
    return Outside(one.address or one.name, one.domain, not unnamed)


def _told(history: History) -> dict[int, Workload]:
    """The workload of an endpoint as the lake has it."""
    found: dict[int, Workload] = {}
    for side in SIDES:
        numbers, rows = np.unique(getattr(history.edges, side), return_index=True)
        names = [f"{side}_{name}" for name in ("namespace", "workload_kind", "workload")]
        table = history.rows.select(names).take(pa.array(rows))
        columns = [table[name].to_pylist() for name in names]
        for number, namespace, kind, name in zip(numbers.tolist(), *columns, strict=True):
            if kind and name:
                found.setdefault(number, Workload(namespace or "", name, kind))
    return found


def _unnamed(history: History) -> set[int]:
    """Endpoints at an address of the cluster's networks that nobody is known to have held."""
    found: set[int] = set()
    for side in SIDES:
        kinds = history.rows[f"{side}_kind"].is_null().to_numpy()
        found.update(np.unique(getattr(history.edges, side)[kinds]).tolist())
    return found


def populations(history: History, ends: Sequence[End], cluster: Cluster) -> dict[str, Population]:
    """The pods of each namespace, of now and of history; those of a node's network are selected by nobody."""
    by_namespace: dict[str, list[Labelled]] = {}
    for workload, pod in cluster.members:
        if not pod.host_network:
            by_namespace.setdefault(workload.namespace, []).append(Labelled(workload, pod.labels, True))
    present = {pod.workload for pods in by_namespace.values() for pod in pods}
    for end, one in zip(ends, history.endpoints, strict=True):
        # Of a pod that is gone the labels may be unknown, which is not to have none.
        if isinstance(end, Workload) and (one.labels or end not in present):
            by_namespace.setdefault(end.namespace, []).append(Labelled(end, one.labels, False))
    return {namespace: Population(pods) for namespace, pods in by_namespace.items()}


def as_now(history: History, ends: Sequence[End], people: Mapping[str, Population], cluster: Cluster) -> list[Endpoint]:
    """The endpoints of history; a pod that is gone, and whose labels nobody selects any more, as its workload is now."""
    labels = {member.workload: member.pod.labels for member in cluster.members}

    def judged(end: End, one: Endpoint) -> Endpoint:
        if not isinstance(end, Workload) or end not in labels:
            return one
        selector = people[end.namespace].choose((end,)).selector
        return one if matches(selector, one.labels) else replace(one, labels=labels[end])

    return [judged(end, one) for end, one in zip(ends, history.endpoints, strict=True)]
