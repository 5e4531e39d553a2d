"""Policies as somebody would write them for the cluster: mostly right, here and there a peer forgotten."""

from collections.abc import Iterator

import numpy as np
import yaml

from benchmarks.past.calls import Calls
from benchmarks.past.cluster import RESOLVER, Cluster, name, namespace, port

FORGOTTEN = 0.1
INGRESS_RULES, EGRESS_RULES = 5, 3
Document = dict[str, object]


def documents(cluster: Cluster, calls: Calls) -> Iterator[str]:
    """A default deny for each namespace of a team, then a policy each for as many workloads as are left."""
    past = cluster.past
    random = np.random.default_rng(past.seed + 2)
    spaces = sorted({namespace(past, workload) for workload in range(1, past.workloads)})
    denies = [_policy("default-deny", space, {}, [], [_resolver()]) for space in spaces]
    own = [_own(cluster, calls, random, workload) for workload in range(1, 1 + past.policies - len(denies))]
    for document in [*denies, *own]:
        yield yaml.safe_dump(document, sort_keys=False)


def _own(cluster: Cluster, calls: Calls, random: np.random.Generator, workload: int) -> Document:
    kept = random.random(len(calls)) >= FORGOTTEN
    callers = calls.src[(calls.dst == workload) & kept].tolist()
    called = calls.dst[(calls.src == workload) & kept].tolist()
    ingress = [{"from": [_peer(cluster, one)], "ports": [{"port": port(workload)}]} for one in callers[:INGRESS_RULES]]
    egress = [
        {"to": [_peer(cluster, one)], "ports": [{"port": _pod_port(cluster, one)}]} for one in called[:EGRESS_RULES]
    ]
    while len(ingress) < INGRESS_RULES:
        tier = {"podSelector": {"matchLabels": {"tier": f"tier-{len(ingress) % 4}"}}}
        ingress.append({"from": [tier], "ports": [{"port": "main"}]})
    named = {"matchLabels": {"app.kubernetes.io/name": name(workload)}}
    return _policy(name(workload), namespace(cluster.past, workload), named, ingress, [_resolver(), *egress])


def _policy(title: str, space: str, selector: Document, ingress: list[Document], egress: list[Document]) -> Document:
    spec = {"podSelector": selector, "policyTypes": ["Ingress", "Egress"], "ingress": ingress, "egress": egress}
    metadata = {"name": title, "namespace": space}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}


def _peer(cluster: Cluster, group: int) -> Document:
    if group >= cluster.past.workloads:
        inside = group == cluster.node_group
        return {"ipBlock": {"cidr": "172.18.0.0/16" if inside else "198.51.0.0/16"}}
    space = {"kubernetes.io/metadata.name": namespace(cluster.past, group)}
    selected = {"matchExpressions": [{"key": "app.kubernetes.io/name", "operator": "In", "values": [name(group)]}]}
    return {"namespaceSelector": {"matchLabels": space}, "podSelector": selected}


def _pod_port(cluster: Cluster, group: int) -> int:
    return port(group) if group < cluster.past.workloads else 443


def _resolver() -> Document:
    space = {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}
    pods = {"matchLabels": {"app.kubernetes.io/name": name(RESOLVER)}}
    ports = [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]
    return {"to": [{"namespaceSelector": space, "podSelector": pods}], "ports": ports}
