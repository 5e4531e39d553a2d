"""Who stood at the ends of history: its pods, nodes and addresses as the endpoints that a policy can select.

A pod that the Kubernetes objects still have is as they say; one that is gone keeps the labels the lake knew it by, and
takes named ports and service account from a pod of its namespace with the same labels.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from analysis.policy.endpoints import NAMESPACE_NAME, Endpoint

# Labels that differ from one pod of a workload to the next, or from one rollout to the next.
PASSING = frozenset(
    {
        "pod-template-hash",
        "pod-template-generation",
        "controller-revision-hash",
        "controller-uid",
        "batch.kubernetes.io/controller-uid",
        "job-name",
        "batch.kubernetes.io/job-name",
        "batch.kubernetes.io/job-completion-index",
        "statefulset.kubernetes.io/pod-name",
        "apps.kubernetes.io/pod-index",
    }
)

# The kinds of an end that is no pod, node or Service that anybody knows of.
OUTSIDE = (None, "external")

Row = Mapping[str, Any]


class End(NamedTuple):
    """One end of a row of ``policy/history``; ``domain`` is of those outside only."""

    kind: str | None
    namespace: str | None
    pod: str | None
    workload_kind: str | None
    workload: str | None
    address: str
    domain: str | None = None


class Owners:
    """``recorded`` are rows of ``policy/pods`` and ``policy/labels``, the oldest first."""

    def __init__(self, known: Sequence[Endpoint], recorded: Sequence[Row]) -> None:
        pods = [one for one in known if one.kind == "pod"]
        self._pods = {(one.namespace, one.name): one for one in pods}
        self._nodes = {one.name: one for one in known if one.kind == "node"}
        self._namespaces = {one.namespace: one.namespace_labels for one in pods}
        self._alike = {(one.namespace, lasting(one.labels)): one for one in pods}
        self._recorded = {(row["namespace"], row["name"]): row for row in recorded}
        self._workloads = {
            (row["namespace"], row["workload_kind"], row["workload"]): row for row in recorded if "workload" in row
        }

    def endpoint(self, end: End) -> Endpoint | None:
        """None where nobody knows which pod it was: behind a Service whose traffic was seen on its address only."""
        if end.pod is not None:
            return _at(_owned(self._pod(end.namespace, end.pod), end), end.address)
        if end.kind == "node":
            return self._node(end)
        if end.kind in OUTSIDE:
            return _outside(end)
        row = self._workloads.get((end.namespace, end.workload_kind, end.workload))
        return None if row is None else _owned(self._pod(end.namespace, row["name"]), end)

    def _pod(self, namespace: str | None, name: str) -> Endpoint:
        known = self._pods.get((namespace, name))
        if known is not None:
            return known
        row = self._recorded.get((namespace, name), {})
        labels = dict(row.get("labels") or ())
        alike = self._alike.get((namespace, lasting(labels)))
        return Endpoint(
            kind="pod",
            namespace=namespace,
            name=name,
            address=None,
            labels=labels,
            namespace_labels=self._namespaces.get(namespace, {NAMESPACE_NAME: namespace or ""}),
            service_account=alike.service_account if alike else None,
            service_account_labels=alike.service_account_labels if alike else {},
            ports=alike.ports if alike else {},
            host_network=bool(row.get("host_network")),
            node=row.get("node"),
        )

    def _node(self, end: End) -> Endpoint:
        name = end.workload or end.address
        known = self._nodes.get(name)
        if known is not None:
            return replace(known, address=end.address)
        return Endpoint("node", None, name, end.address, {}, {}, None, {}, True, name)


def lasting(labels: Mapping[str, str]) -> frozenset[tuple[str, str]]:
    """What a pod has in common with the other pods of its workload."""
    return frozenset((key, value) for key, value in labels.items() if key not in PASSING)


def _owned(pod: Endpoint, end: End) -> Endpoint:
    """Of a pod that is gone the lake knows whose it was."""
    if pod.workload is not None or end.workload_kind is None or end.workload is None:
        return pod
    return replace(pod, workload=(end.workload_kind, end.workload))


def _at(pod: Endpoint, address: str) -> Endpoint:
    """A pod of two families talks from either of its addresses; a translated one is not the pod's."""
    if pod.address is not None and _family(pod.address) == _family(address):
        return pod
    return replace(pod, address=address)


def _family(address: str) -> int:
    return 6 if ":" in address else 4


def _outside(end: End) -> Endpoint:
    return Endpoint("external", None, end.address, end.address, {}, {}, None, {}, False, None, end.domain)
