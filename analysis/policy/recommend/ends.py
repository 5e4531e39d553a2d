"""Whose endpoint it is: the workload, node or address outside that an edge between workloads ends at."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from os.path import commonprefix

import numpy as np
import pyarrow as pa

from analysis.policy.endpoints import Endpoint, Workload
from analysis.policy.history import SIDES, History
from analysis.policy.owners import lasting
from analysis.policy.recommend.cluster import Cluster
from analysis.policy.recommend.labels import Labelled, Population, matches
from analysis.policy.recommend.model import ANY_RUN, End, Evidence, Node, Outside
from analysis.policy.rules import NO_PORT

# Kinds of a workload that keeps its name from one rollout to the next.
STEADY = frozenset({"CronJob", "DaemonSet", "Deployment", "ReplicaSet", "ReplicationController", "StatefulSet"})

Known = Mapping[tuple[str | None, str], Workload]


def ends_of(history: History, cluster: Cluster) -> list[End]:
    """One for each endpoint of history."""
    told = _told(history)
    unnamed = history.nameless
    found = [
        _end(one, told.get(number), number in unnamed, cluster.workloads)
        for number, one in enumerate(history.endpoints)
    ]
    runs = _runs(found, history.endpoints, cluster)
    return [runs.get(end, end) if isinstance(end, Workload) else end for end in found]


def _runs(ends: Sequence[End], endpoints: Sequence[Endpoint], cluster: Cluster) -> dict[Workload, Workload]:
    """Workloads that ended and have their lasting labels in common are runs of one: the next one has them, too."""
    present = {member.workload for member in cluster.members}
    labels: dict[Workload, set[tuple[str, str]]] = {}
    for end, one in zip(ends, endpoints, strict=True):
        if isinstance(end, Workload) and end not in present and end.kind not in STEADY:
            labels.setdefault(end, set()).update(lasting(one.labels))
    alike: dict[tuple[str, str, frozenset[tuple[str, str]]], list[Workload]] = {}
    for end, of_one in labels.items():
        if of_one:
            alike.setdefault((end.namespace, end.kind, frozenset(of_one)), []).append(end)
    return {end: _every_run(runs) for runs in alike.values() if len(runs) > 1 for end in runs}


def _every_run(runs: Sequence[Workload]) -> Workload:
    return runs[0]._replace(name=commonprefix([one.name for one in runs]) + ANY_RUN)


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


def unresolved(history: History) -> Iterator[Evidence]:
    """Edges to a Service of which nothing is known but its address, pod by pod."""
    for row in history.unresolved.to_pylist():
        names = (row["src_namespace"] or "", row["src_workload"], row["src_workload_kind"])
        src = Workload(*names) if row["src_kind"] == "pod" and row["src_workload"] else Outside(row["src_address"])
        counts = {
            name: row[name]
            for name in ("connections", "failed", "ambiguous", "unanswered", "bytes", "first_seen", "last_seen")
        }
        port = NO_PORT if row["port"] is None else row["port"]
        yield Evidence(src=src, dst=Outside(row["dst_address"]), protocol=row["protocol"], port=port, **counts)


def populations(history: History, ends: Sequence[End], cluster: Cluster) -> dict[str, Population]:
    """The pods of each namespace, of now and of history; those of a node's network are selected by nobody."""
    by_namespace: dict[str, list[Labelled]] = {}
    for workload, pod, _ in cluster.members:
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
