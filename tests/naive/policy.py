"""What NetworkPolicy says, word by word: one policy, one rule, one edge at a time, over documents as they were written.

The words are those of the API reference (networking.k8s.io/v1) and of the page Network Policies of the documentation.
"""

import ipaddress
from collections.abc import Sequence
from typing import Any

from analysis.policy.endpoints import Endpoint

Document = dict[str, Any]

NUMBERS = {"TCP": 6, "UDP": 17, "SCTP": 132}
NOT_ISOLATED = "not isolated"
DEFAULT_DENY = "default deny"
ALWAYS = "always"
UNKNOWN = "unknown"

# One of the words above, or the rules that allow: (namespace, policy, direction, number).
Side = str | list[tuple[str, str, str, int]]


def verdict(policies: Sequence[Document], src: Endpoint, dst: Endpoint, protocol: int, port: int) -> tuple[Side, Side]:
    """The egress side and the ingress side."""
    return (
        side(policies, "egress", src, dst, (protocol, port)),
        side(policies, "ingress", dst, src, (protocol, port)),
    )


def is_allowed(sides: tuple[Side, Side]) -> bool:
    return all(one in (NOT_ISOLATED, ALWAYS) or isinstance(one, list) for one in sides)


def side(
    policies: Sequence[Document], direction: str, own: Endpoint, other: Endpoint, service: tuple[int, int]
) -> Side:
    protocol, port = service
    dst = other if direction == "egress" else own
    if is_pod(own) and is_same_pod(own, other):
        return ALWAYS
    if is_pod(own) and is_node_of(other, own):
        return ALWAYS
    selecting = [policy for policy in policies if selects(policy, direction, own)]
    if not selecting:
        return NOT_ISOLATED
    if protocol not in NUMBERS.values():
        return UNKNOWN
    allowing = []
    for policy in selecting:
        metadata = policy["metadata"]
        namespace = metadata.get("namespace", "default")
        for number, rule in enumerate(policy["spec"].get(direction) or []):
            if names(rule, direction, namespace, other) and opens(rule, dst, protocol, port):
                allowing.append((namespace, metadata["name"], direction, number))
    return allowing or DEFAULT_DENY


def is_pod(endpoint: Endpoint) -> bool:
    """Pods of the host network are ignored by selectors, and are as the node itself."""
    return endpoint.kind == "pod" and not endpoint.host_network


def is_same_pod(one: Endpoint, other: Endpoint) -> bool:
    return other.kind == "pod" and (one.namespace, one.name) == (other.namespace, other.name)


def is_node_of(endpoint: Endpoint, pod: Endpoint) -> bool:
    if endpoint.kind == "node":
        return endpoint.name == pod.node
    return endpoint.kind == "pod" and endpoint.host_network and endpoint.node is not None and endpoint.node == pod.node


def selects(policy: Document, direction: str, endpoint: Endpoint) -> bool:
    spec = policy["spec"]
    if direction not in directions(spec):
        return False
    if not is_pod(endpoint) or endpoint.namespace != policy["metadata"].get("namespace", "default"):
        return False
    return matches(spec.get("podSelector") or {}, endpoint.labels)


def directions(spec: Document) -> set[str]:
    if spec.get("policyTypes"):
        return {one.lower() for one in spec["policyTypes"]}
    if spec.get("egress"):
        return {"ingress", "egress"}
    return {"ingress"}


def names(rule: Document, direction: str, namespace: str, other: Endpoint) -> bool:
    peers = rule.get("from" if direction == "ingress" else "to")
    if not peers:
        return True
    return any(is_peer(peer, namespace, other) for peer in peers)


def is_peer(peer: Document, namespace: str, other: Endpoint) -> bool:
    if "ipBlock" in peer:
        return in_block(peer["ipBlock"], other)
    if not is_pod(other):
        return False
    if "namespaceSelector" in peer:
        labels = {**other.namespace_labels, "kubernetes.io/metadata.name": str(other.namespace)}
        if not matches(peer["namespaceSelector"], labels):
            return False
    elif other.namespace != namespace:
        return False
    return matches(peer.get("podSelector") or {}, other.labels)


def in_block(block: Document, other: Endpoint) -> bool:
    if other.address is None:
        return False
    address = ipaddress.ip_address(other.address)
    if address not in ipaddress.ip_network(block["cidr"], strict=False):
        return False
    return not any(address in ipaddress.ip_network(one, strict=False) for one in block.get("except") or [])


def opens(rule: Document, dst: Endpoint, protocol: int, port: int) -> bool:
    if not rule.get("ports"):
        return True
    return any(is_port(one, dst, protocol, port) for one in rule["ports"])


def is_port(told: Document, dst: Endpoint, protocol: int, port: int) -> bool:
    word = told.get("protocol", "TCP")
    if NUMBERS[word] != protocol:
        return False
    if "port" not in told:
        return True
    if isinstance(told["port"], str):
        return is_pod(dst) and dst.ports.get(told["port"]) == (word, port)
    return bool(told["port"] <= port <= told.get("endPort", told["port"]))


def matches(selector: Document, labels: Any) -> bool:
    for key, value in (selector.get("matchLabels") or {}).items():
        if labels.get(key) != value:
            return False
    return all(holds(one, labels) for one in selector.get("matchExpressions") or [])


def holds(requirement: Document, labels: Any) -> bool:
    key, operator = requirement["key"], requirement["operator"]
    if operator == "Exists":
        return key in labels
    if operator == "DoesNotExist":
        return key not in labels
    if operator == "In":
        return key in labels and labels[key] in requirement["values"]
    return key not in labels or labels[key] not in requirement["values"]
