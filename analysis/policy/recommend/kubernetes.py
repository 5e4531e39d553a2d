"""A recommendation as NetworkPolicy of networking.k8s.io/v1."""

from collections.abc import Iterator, Sequence

from analysis.graph import protocol_name
from analysis.policy.endpoints import NAMESPACE_NAME, TRANSPORTS, Network
from analysis.policy.outside import WORLD
from analysis.policy.recommend import words
from analysis.policy.recommend.manifest import Commented, Manifest
from analysis.policy.recommend.metadata import (
    DEFAULT_DENY,
    DNS,
    TYPES,
    Document,
    above,
    above_default_deny,
    above_dns,
    evidence,
    metadata,
    names_of,
)
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
from analysis.policy.recommend.outside import NETWORKS, is_private
from analysis.policy.rules import Direction, NamedPort
from analysis.policy.selectors import LabelSelector, Operator

API_VERSION, KIND = "networking.k8s.io/v1", "NetworkPolicy"
PEERS = {Direction.INGRESS: "from", Direction.EGRESS: "to"}

# More public addresses of one domain than this are taken for all the world: those of tomorrow are others.
MOST_ADDRESSES = 32


def manifests(found: Recommendation) -> list[Manifest]:
    return [manifest for namespace in found.namespaces for manifest in _namespace(namespace, found)]


def _namespace(draft: NamespaceDraft, found: Recommendation) -> Iterator[Manifest]:
    yield _dns(draft)
    names = names_of(draft, found)
    for one in draft.drafts:
        yield _workload(one, names[one.workload], found)
    # Last, so that nothing is cut while the others are applied.
    yield _default_deny(draft)


def _default_deny(draft: NamespaceDraft) -> Manifest:
    spec = {"podSelector": {}, "policyTypes": [*TYPES.values()]}
    return Manifest(_policy(metadata(draft.name, DEFAULT_DENY), spec), above_default_deny(draft))


def _dns(draft: NamespaceDraft) -> Manifest:
    spec = {
        "podSelector": {},
        "policyTypes": ["Egress"],
        "egress": [_rule(one, Direction.EGRESS, draft.name) for one in draft.dns],
    }
    return Manifest(_policy(metadata(draft.name, DNS), spec), above_dns(draft))


def _workload(draft: Draft, name: str, found: Recommendation) -> Manifest:
    spec: Document = {"podSelector": _selector(draft.selector), "policyTypes": [*TYPES.values()]}
    for direction, allowances in draft.allowances.items():
        rules = [_rule(one, direction, draft.workload.namespace) for one in allowances]
        if rules:
            spec[direction.value] = rules
    return Manifest(_policy(metadata(draft.workload.namespace, name, evidence(draft, found)), spec), above(draft))


def _policy(head: Document, spec: Document) -> Document:
    return {"apiVersion": API_VERSION, "kind": KIND, "metadata": head, "spec": spec}


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
            world = sorted({network.version for network in _world_of(peer)})
            listed = [network for network in peer.networks if not world or is_private(network)]
            return [*(_block(WORLD[version], NETWORKS[version]) for version in world), *map(_block, listed)]


def _world_of(peer: AddressPeer) -> list[Network]:
    """The addresses that all the world stands for, if any: the public ones of a domain that has many."""
    public = [network for network in peer.networks if not is_private(network)]
    return public if peer.domain and len(public) > MOST_ADDRESSES else []


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
    if public := _world_of(peer):
        yield f"Warning: {domain} had {len(public):,} public addresses: all the world is allowed, but private networks."
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
