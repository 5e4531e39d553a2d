"""A recommendation as NetworkPolicy and NetworkSet of projectcalico.org/v3, staged or not."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from analysis.graph import protocol_name
from analysis.policy.endpoints import NAMESPACE_NAME, TRANSPORTS, Network, network_order
from analysis.policy.recommend import network_sets, words
from analysis.policy.recommend.calico_selector import EVERYBODY, either, selector_text, warnings
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
    PLAIN,
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
    Style,
    WorldPeer,
)
from analysis.policy.recommend.network_sets import API_VERSION, LABEL
from analysis.policy.recommend.parts import in_parts
from analysis.policy.recommend.ports import above_zero
from analysis.policy.rules import NO_PORT, Direction, NamedPort
from analysis.policy.selectors import Operator, Requirement

# NetworkPolicy of Kubernetes has order 1000: these are judged beside it, and default deny after whatever people add.
ORDER, LAST_ORDER = 1000, 9000
ICMP = {1: "ICMP", 58: "ICMPv6"}
VERSIONS = {1: 4, 58: 6}
WORLD = {4: "0.0.0.0/0", 6: "::/0"}

# What Calico takes: of networks and ports of a rule, of characters of a selector (its release 3.32).
MOST_NETWORKS, MOST_PORTS, LONGEST_SELECTOR = 256, 50, 1024


def manifests(found: Recommendation, style: Style = PLAIN) -> list[Manifest]:
    return [manifest for namespace in found.namespaces for manifest in _namespace(namespace, found, style)]


def _namespace(draft: NamespaceDraft, found: Recommendation, style: Style) -> Iterator[Manifest]:
    yield from network_sets.manifests(draft.name, network_sets.sets_of(draft), style)
    yield _dns(draft, style)
    names = names_of(draft, found)
    for one in draft.drafts:
        yield _workload(one, metadata(draft.name, names[one.workload], evidence(one, found)), style)
    # Last, so that nothing is cut while the others are applied.
    head = metadata(draft.name, DEFAULT_DENY)
    spec = {"order": LAST_ORDER, "selector": EVERYBODY, "types": [*TYPES.values()]}
    yield Manifest(_policy(head, spec, style), above_default_deny(draft))


def _dns(draft: NamespaceDraft, style: Style) -> Manifest:
    rules = [rule for one in draft.dns for rule in _rules(one, Direction.EGRESS, draft.name)]
    spec = {"order": ORDER, "selector": EVERYBODY, "types": ["Egress"], "egress": rules}
    return Manifest(_policy(metadata(draft.name, DNS), spec, style), above_dns(draft))


def _workload(draft: Draft, head: Document, style: Style) -> Manifest:
    spec: Document = {"order": ORDER, "selector": selector_text(draft.selector), "types": [*TYPES.values()]}
    for direction, allowances in draft.allowances.items():
        rules = [rule for one in allowances for rule in _rules(one, direction, draft.workload.namespace)]
        if rules:
            spec[direction.value] = rules
    return Manifest(_policy(head, spec, style), (*above(draft), *warnings(draft.selector)))


def _policy(head: Document, spec: Document, style: Style) -> Document:
    """A staged policy is the same but for its kind: one word put in front makes it work."""
    kind = "StagedNetworkPolicy" if style.staged else "NetworkPolicy"
    action = {"stagedAction": "Set"} if style.staged else {}
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": head, "spec": {**action, **spec}}


def _rules(one: Allowance, direction: Direction, namespace: str) -> Iterator[Commented]:
    """A rule for each protocol and each entity, under the words of all; lines alone where no rule is needed."""
    peers = [peer for peer in one.peers if not (_is_own(peer) and direction is Direction.INGRESS)]
    entities = list(_entities(peers, namespace))
    rules = [
        _rule(entity, protocol, ports, direction)
        for protocol, ports in _by_protocol(above_zero(one.ports))
        for entity in entities
        if not _is_other_version(entity, protocol)
    ]
    lines = (*words.allowance(one), *_warnings(one))
    if not peers:
        lines = (*lines, "No rule: a node may always connect to the pods that run on it.")
    yield Commented(rules[0] if rules else None, lines)
    yield from (Commented(rule, ()) for rule in rules[1:])


def _is_own(peer: Peer) -> bool:
    return isinstance(peer, NodePeer) and peer.own


def _rule(entity: Document, protocol: int, ports: Sequence[int | str], direction: Direction) -> Document:
    """Ports are always those of the destination."""
    rule: Document = {"action": "Allow"}
    if protocol:
        rule["protocol"] = TRANSPORTS.get(protocol) or ICMP.get(protocol) or protocol
    at = {"ports": list(ports)} if ports else {}
    if direction is Direction.EGRESS:
        return rule | {"destination": {**entity, **at}}
    return rule | {"source": entity} | ({"destination": at} if at else {})


def _is_other_version(entity: Document, protocol: int) -> bool:
    """ICMP is of one IP version."""
    nets = entity.get("nets", ())
    return protocol in VERSIONS and any((":" in one) != (VERSIONS[protocol] == 6) for one in nets)


def _by_protocol(ports: Sequence[Port]) -> Iterator[tuple[int, list[int | str]]]:
    """Without ports where all of them are meant."""
    for protocol, found in groupby(sorted(ports, key=lambda port: port.protocol), key=lambda port: port.protocol):
        told = list(found)
        if any(not isinstance(port, NamedPort) and port.first == NO_PORT for port in told):
            yield protocol, []
        else:
            yield from ((protocol, part) for part in in_parts([_port(port) for port in told], MOST_PORTS))


def _port(port: Port) -> int | str:
    if isinstance(port, NamedPort):
        return port.name
    return port.first if port.first == port.last else f"{port.first}:{port.last}"


def _entities(peers: Sequence[Peer], namespace: str) -> Iterator[Document]:
    """As few as name them all: pods of a namespace share one, and networks of an IP version."""
    pods = [peer for peer in peers if isinstance(peer, PodPeer)]
    for name, together in groupby(sorted(pods, key=lambda peer: peer.namespace), key=lambda peer: peer.namespace):
        elsewhere = {"namespaceSelector": _named(NAMESPACE_NAME, name)} if name != namespace else {}
        for selector in _joined([selector_text(peer.selector) for peer in together]):
            yield {**elsewhere, "selector": selector}
    if any(isinstance(peer, EveryPod) for peer in peers):
        yield {"namespaceSelector": EVERYBODY}
    for name in dict.fromkeys(network_sets.set_name(peer) for peer in peers if isinstance(peer, AddressPeer)):
        if name is not None:
            yield {"selector": _named(LABEL, name)}
    yield from _of_networks(peers)


def _named(label: str, value: str) -> str:
    return selector_text((Requirement(label, Operator.IN, (value,)),))


def _joined(selectors: Iterable[str]) -> Iterator[str]:
    together: list[str] = []
    for one in selectors:
        if together and len(either([*together, one])) > LONGEST_SELECTOR:
            yield either(together)
            together = []
        together.append(one)
    yield either(together)


def _of_networks(peers: Iterable[Peer]) -> Iterator[Document]:
    """A rule of Calico's is of one IP version."""
    found: set[Network] = set()
    for peer in peers:
        match peer:
            case NodePeer():
                found.update(peer.networks)
            case AddressPeer() if network_sets.set_name(peer) is None:
                found.update(peer.networks)
            case WorldPeer():
                excepted = {"notNets": [str(one) for one in peer.excepted]} if peer.excepted else {}
                yield {"nets": [WORLD[peer.version]], **excepted}
    for _, networks in groupby(sorted(found, key=network_order), key=lambda one: one.version):
        yield from ({"nets": part} for part in in_parts([str(one) for one in networks], MOST_NETWORKS))


def _warnings(one: Allowance) -> Iterator[str]:
    for peer in one.peers:
        if isinstance(peer, PodPeer):
            yield from warnings(peer.selector)
    if any(isinstance(peer, NodePeer) for peer in one.peers):
        yield "A node is named by its address: one that is added later has another."
    if any(port.protocol == 0 for port in one.ports):
        yield f"Warning: {protocol_name(0, None)} cannot be named: every protocol is allowed."
