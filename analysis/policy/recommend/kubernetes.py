"""A recommendation as NetworkPolicy of networking.k8s.io/v1."""

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from analysis.graph import protocol_name
from analysis.policy.endpoints import NAMESPACE_NAME, PROTOCOLS, Network
from analysis.policy.recommend import words
from analysis.policy.recommend.manifest import Commented, Manifest
from analysis.policy.recommend.model import (
    AddressPeer,
    Allowance,
    Draft,
    EveryPod,
    NamespaceDraft,
    NodePeer,
    Peer,
    PodPeer,
    Port,
    Recommendation,
    WorldPeer,
)
from analysis.policy.recommend.names import policy_names
from analysis.policy.rules import Direction, NamedPort
from analysis.policy.selectors import LabelSelector, Operator

API_VERSION, KIND = "networking.k8s.io/v1", "NetworkPolicy"
LABELS = {"app.kubernetes.io/managed-by": "tailrace"}
TYPES = {Direction.INGRESS: "Ingress", Direction.EGRESS: "Egress"}
PEERS = {Direction.INGRESS: "from", Direction.EGRESS: "to"}
TRANSPORTS = {number: name for name, number in PROTOCOLS.items()}

# More addresses of one domain than this are taken for all the world: those of tomorrow are others.
MOST_ADDRESSES = 32
WORLD = {4: ipaddress.ip_network("0.0.0.0/0"), 6: ipaddress.ip_network("::/0")}
# What is nobody's outside: RFC 1918, RFC 6598, links, this host; RFC 4193.
PRIVATE = {
    4: ("10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"),
    6: ("fc00::/7", "fe80::/10"),
}

Document = dict[str, Any]


def manifests(found: Recommendation) -> list[Manifest]:
    return [manifest for namespace in found.namespaces for manifest in _namespace(namespace, found)]


def _namespace(draft: NamespaceDraft, found: Recommendation) -> Iterator[Manifest]:
    yield _default_deny(draft)
    yield _dns(draft)
    names = policy_names([one.workload for one in draft.drafts], found.taken.get(draft.name, ()))
    for one in draft.drafts:
        yield _workload(one, names[one.workload], found)


def _default_deny(draft: NamespaceDraft) -> Manifest:
    lines = [f"Whatever no policy of {draft.name} allows is denied, in both directions."]
    if draft.idle:
        names = ", ".join(workload.name for workload in draft.idle)
        lines.append(f"No traffic was seen of {names}: nothing but DNS is allowed there.")
    return Manifest(
        _policy(draft.name, "tailrace-default-deny", {"podSelector": {}, "policyTypes": [*TYPES.values()]}),
        tuple(lines),
    )


def _dns(draft: NamespaceDraft) -> Manifest:
    spec = {
        "podSelector": {},
        "policyTypes": ["Egress"],
        "egress": [_rule(one, Direction.EGRESS, draft.name) for one in draft.dns],
    }
    return Manifest(
        _policy(draft.name, "tailrace-dns", spec), (f"Every pod of {draft.name} may ask the cluster's DNS.",)
    )


def _workload(draft: Draft, name: str, found: Recommendation) -> Manifest:
    spec: Document = {"podSelector": _selector(draft.selector), "policyTypes": [*TYPES.values()]}
    for direction, allowances in draft.allowances.items():
        rules = [_rule(one, direction, draft.workload.namespace) for one in allowances]
        if any(rule.value is not None for rule in rules):
            spec[direction.value] = rules
    annotations = {
        "tailrace/workload": f"{draft.workload.kind}/{draft.workload.name}",
        "tailrace/evidence": words.total([one for of_one in draft.allowances.values() for one in of_one]),
        "tailrace/window": f"{found.window.since:%Y-%m-%dT%H:%M:%SZ} to {found.window.until:%Y-%m-%dT%H:%M:%SZ}",
    }
    return Manifest(_policy(draft.workload.namespace, name, spec, annotations))


def _policy(namespace: str, name: str, spec: Document, annotations: Mapping[str, str] | None = None) -> Document:
    metadata: Document = {"name": name, "namespace": namespace, "labels": dict(LABELS)}
    if annotations:
        metadata["annotations"] = dict(annotations)
    return {"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata, "spec": spec}


def _rule(one: Allowance, direction: Direction, namespace: str) -> Commented:
    """Lines alone where no rule is needed, or none can say it."""
    lines = words.allowance(one)
    ports = [_port(port) for port in one.ports if port.protocol in TRANSPORTS]
    unnamed = sorted({protocol_name(port.protocol, None) for port in one.ports if port.protocol not in TRANSPORTS})
    if unnamed:
        lines += (f"{', '.join(unnamed)} cannot be named in a {KIND}: what happens is up to the network plugin.",)
    own = [isinstance(peer, NodePeer) and peer.own for peer in one.peers]
    if all(own):
        return Commented(None, (*lines, "No rule: traffic with the node that a pod runs on is always allowed."))
    if not ports:
        return Commented(None, lines)
    peers = [found for peer in one.peers for found in _peers(peer, namespace)]
    rule: Document = {PEERS[direction]: peers, "ports": ports}
    return Commented(rule, (*lines, *_warnings(one.peers)))


def _peers(peer: Peer, namespace: str) -> list[Document]:
    match peer:
        case PodPeer():
            elsewhere = {"namespaceSelector": {"matchLabels": {NAMESPACE_NAME: peer.namespace}}}
            return [(elsewhere if peer.namespace != namespace else {}) | {"podSelector": _selector(peer.selector)}]
        case EveryPod():
            return [{"namespaceSelector": {}}]
        case NodePeer():
            return [_block(network) for network in peer.networks]
        case WorldPeer():
            return [_block(WORLD[peer.version], peer.excepted)]
        case AddressPeer():
            if len(peer.networks) <= MOST_ADDRESSES:
                return [_block(network) for network in peer.networks]
            return [_public(version) for version in sorted({network.version for network in peer.networks})]


def _public(version: int) -> Document:
    return _block(WORLD[version], [ipaddress.ip_network(one) for one in PRIVATE[version]])


def _block(network: Network, excepted: Sequence[Network] = ()) -> Document:
    block: Document = {"cidr": str(network)}
    if excepted:
        block["except"] = [str(one) for one in excepted]
    return {"ipBlock": block}


def _warnings(peers: Sequence[Peer]) -> Iterator[str]:
    for peer in peers:
        if isinstance(peer, AddressPeer) and peer.domain:
            yield from _about_domain(peer, peer.domain)
        elif isinstance(peer, NodePeer):
            yield f"Node {peer.name}: a node that is added later has another address."


def _about_domain(peer: AddressPeer, domain: str) -> Iterator[str]:
    if len(peer.networks) > MOST_ADDRESSES:
        yield f"Warning: {domain} had {len(peer.networks):,} addresses: all the world is allowed, but private networks."
    else:
        yield f"Warning: these are the addresses that {domain} had; it may have others tomorrow."


def _selector(selector: LabelSelector) -> Document:
    equal = {one.key: one.values[0] for one in selector if one.operator is Operator.IN and len(one.values) == 1}
    others = [one for one in selector if one.key not in equal]
    found: Document = {"matchLabels": equal} if equal else {}
    if others:
        found["matchExpressions"] = [
            {"key": one.key, "operator": one.operator.value} | ({"values": [*one.values]} if one.values else {})
            for one in others
        ]
    return found


def _port(port: Port) -> Document:
    protocol = TRANSPORTS[port.protocol]
    if isinstance(port, NamedPort):
        return {"protocol": protocol, "port": port.name}
    found: Document = {"protocol": protocol, "port": port.first}
    return found | {"endPort": port.last} if port.last != port.first else found
