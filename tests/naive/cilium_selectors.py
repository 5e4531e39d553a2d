"""Cilium's endpoint selectors, word by word, and the labels that they are about."""

from typing import Any

from analysis.policy.endpoints import Endpoint
from tests.naive import policy as kubernetes

Document = dict[str, Any]

NO, MAYBE, YES = 0, 1, 2
POD_NAMESPACE = "io.kubernetes.pod.namespace"
NAMESPACE_LABELS = "io.cilium.k8s.namespace.labels."
IGNORED = (
    "io.kubernetes",
    "kubernetes.io",
    "statefulset.kubernetes.io/pod-name",
    "apps.kubernetes.io/pod-index",
    "batch.kubernetes.io/job-completion-index",
    "batch.kubernetes.io/controller-uid",
    "beta.kubernetes.io",
    "k8s.io",
    "pod-template-generation",
    "pod-template-hash",
    "controller-revision-hash",
    "annotation",
    "controller-uid",
    "etcd_node",
)


def is_pod(one: Endpoint) -> bool:
    return one.kind == "pod" and not one.host_network


def is_node(one: Endpoint) -> bool:
    return one.kind == "node" or (one.kind == "pod" and one.host_network)


def with_namespace(selector: Document, namespace: str | None) -> Document:
    """If the namespace is omitted it is the policy's own; of a clusterwide policy any, of pods only."""
    told = [source(one) for one in keys(selector)]
    if any(one[0] == "reserved" for one in told) or any(one[1] == POD_NAMESPACE for one in told):
        return selector
    if namespace is None:
        more = {"key": POD_NAMESPACE, "operator": "Exists"}
    elif any(one[1].startswith(NAMESPACE_LABELS) for one in told):
        return selector
    else:
        more = {"key": POD_NAMESPACE, "operator": "In", "values": [namespace]}
    return {**selector, "matchExpressions": [*(selector.get("matchExpressions") or []), more]}


def keys(selector: Document) -> list[str]:
    return [*(selector.get("matchLabels") or {}), *(one["key"] for one in selector.get("matchExpressions") or [])]


def source(text: str) -> tuple[str, str]:
    if ":" in text:
        before, _, after = text.partition(":")
        return before, after
    return "any", text


def labels_of(one: Endpoint, node_name: str) -> dict[str, str]:
    """By key, those that are reserved with their source before it."""
    if one.kind == "external":
        return {"reserved:world": ""}
    if is_node(one):
        return {f"reserved:{node_name}": ""}
    found = {
        key: value
        for key, value in one.labels.items()
        if not key.startswith(IGNORED) and "beta.kubernetes.io" not in key
    }
    found |= {f"{NAMESPACE_LABELS}{key}": value for key, value in one.namespace_labels.items()}
    found[f"{NAMESPACE_LABELS}kubernetes.io/metadata.name"] = str(one.namespace)
    found[POD_NAMESPACE] = str(one.namespace)
    if one.service_account is not None:
        found["io.cilium.k8s.policy.serviceaccount"] = one.service_account
    return found


def selected(selector: Document, labels: dict[str, str]) -> int:
    answers = [YES]
    for text, value in (selector.get("matchLabels") or {}).items():
        answers.append(holds({"key": text, "operator": "In", "values": [value]}, labels))
    answers += [holds(one, labels) for one in selector.get("matchExpressions") or []]
    return min(answers)


def holds(requirement: Document, labels: dict[str, str]) -> int:
    where, name = source(requirement["key"])
    if name == "io.cilium.k8s.policy.cluster":
        return MAYBE
    key = f"reserved:{name}" if where == "reserved" else name
    return YES if kubernetes.holds({**requirement, "key": key}, labels) else NO
