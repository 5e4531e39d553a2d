"""A recommendation as CiliumNetworkPolicy of cilium.io/v2.

A rule of Cilium's has peers of one kind, and either ports or ICMP: an allowance becomes the rules of every kind of peer
with every kind of port.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from analysis.graph import protocol_name
from analysis.policy.cilium.domains import LONGEST, NAME
from analysis.policy.endpoints import TRANSPORTS
from analysis.policy.recommend import words
from analysis.policy.recommend.cilium_selector import OF_ANY_NAMESPACE, selector_of, warnings
from analysis.policy.recommend.dns import ON_THE_NODE
from analysis.policy.recommend.dns import PORT as DNS_PORT
from analysis.policy.recommend.manifest import Commented, Manifest
from analysis.policy.recommend.metadata import (
    DEFAULT_DENY,
    DNS,
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
from analysis.policy.recommend.parts import in_parts
from analysis.policy.recommend.ports import above_zero
from analysis.policy.rules import Direction, NamedPort, PortRange

API_VERSION, KIND = "cilium.io/v2", "CiliumNetworkPolicy"
WORD = {Direction.INGRESS: "from", Direction.EGRESS: "to"}
# An empty list names nobody. Without it, too, a rule would allow nothing, but people read {} as everything.
NOBODY: Document = {each.value: [{f"{word}Endpoints": []}] for each, word in WORD.items()}
# The echo request opens an exchange; its reply belongs to it. What type was seen the records do not tell.
ECHO_REQUEST = {1: {"family": "IPv4", "type": 8}, 58: {"family": "IPv6", "type": 128}}
MOST_PORTS = 40
# Only what its proxy for DNS has seen asked can Cilium allow by name.
EVERY_NAME = {"dns": [{"matchPattern": "*"}]}


@dataclass(frozen=True)
class _Asked:
    """Whose rules are made: ``servers`` are the addresses and ports of the API server, ``proxied`` whether DNS is read."""

    direction: Direction
    namespace: str
    servers: frozenset[tuple[str, int]]
    proxied: bool = False


def manifests(found: Recommendation) -> list[Manifest]:
    return [manifest for namespace in found.namespaces for manifest in _namespace(namespace, found)]


def _namespace(draft: NamespaceDraft, found: Recommendation) -> Iterator[Manifest]:
    yield _dns(draft, found)
    names = names_of(draft, found)
    for one in draft.drafts:
        yield _workload(one, metadata(draft.name, names[one.workload], evidence(one, found)), found)
    # Last, so that nothing is cut while the others are applied.
    yield Manifest(_policy(metadata(draft.name, DEFAULT_DENY), {}, NOBODY), above_default_deny(draft))


def _dns(draft: NamespaceDraft, found: Recommendation) -> Manifest:
    proxied = any(_names_domain(one) for each in draft.drafts for one in each.allowances[Direction.EGRESS])
    asked = _Asked(Direction.EGRESS, draft.name, found.api_servers, proxied)
    rules = [rule for one in draft.dns for rule in _rules(one, asked)]
    lines = above_dns(draft)
    if proxied:
        lines = (*lines, "The rule for dns lets Cilium see the answers: toFQDNs allows nothing without it.")
    return Manifest(_policy(metadata(draft.name, DNS), {}, {Direction.EGRESS.value: rules}), lines)


def _names_domain(one: Allowance) -> bool:
    return any(isinstance(peer, AddressPeer) and _is_name(peer) for peer in one.peers)


def _asks_names(one: Allowance) -> bool:
    """Of a resolver that is not the cluster's: who asks it learns addresses there, too."""
    return all(isinstance(port, PortRange) and port.first == port.last == DNS_PORT for port in one.ports)


def _workload(draft: Draft, head: Document, found: Recommendation) -> Manifest:
    """Both directions, whatever becomes of the policy for default deny."""
    rules = dict(NOBODY)
    for direction, allowances in draft.allowances.items():
        asked = _Asked(direction, draft.workload.namespace, found.api_servers)
        names = any(map(_names_domain, allowances))
        told = [rule for one in allowances for rule in _rules(one, replace(asked, proxied=names and _asks_names(one)))]
        allowed = any(rule.value is not None for rule in told)
        rules[direction.value] = told if allowed else [*told, *NOBODY[direction.value]]
    document = _policy(head, selector_of(draft.selector), rules)
    return Manifest(document, (*above(draft), *warnings(draft.selector)))


def _policy(head: Document, selector: Document, rules: Document) -> Document:
    return {"apiVersion": API_VERSION, "kind": KIND, "metadata": head, "spec": {"endpointSelector": selector, **rules}}


def _rules(one: Allowance, asked: _Asked) -> Iterator[Commented]:
    """The words of all stand above the first."""
    peers, ports = list(_peers(one, asked)), list(_ports(above_zero(one.ports), asked.proxied))
    rules = [{**who, **where} for who in peers for where in ports]
    lines = (*words.allowance(one), *_warnings(one, asked))
    if not peers:
        lines = (*lines, "No rule: a node may always connect to the pods that run on it.")
    yield Commented(rules[0] if rules else None, lines)
    yield from (Commented(rule, ()) for rule in rules[1:])


def _peers(one: Allowance, asked: _Asked) -> Iterator[Document]:
    word = WORD[asked.direction]
    pods = [_pods(peer, asked.namespace) for peer in one.peers if isinstance(peer, PodPeer | EveryPod)]
    if pods:
        yield {f"{word}Endpoints": pods}
    entities = list(dict.fromkeys(chain.from_iterable(_entities(peer, one, asked) for peer in one.peers)))
    if entities:
        yield {f"{word}Entities": entities}
    outside = [peer for peer in one.peers if isinstance(peer, AddressPeer)]
    by_name = [peer for peer in outside if _is_name(peer) and asked.direction is Direction.EGRESS]
    if by_name:
        yield {"toFQDNs": [{"matchName": peer.domain} for peer in by_name]}
    networks = [str(network) for peer in outside if peer not in by_name for network in peer.networks]
    if networks:
        yield {f"{word}CIDR": list(dict.fromkeys(networks))}


def _pods(peer: PodPeer | EveryPod, namespace: str) -> Document:
    if isinstance(peer, EveryPod):
        return OF_ANY_NAMESPACE
    return selector_of(peer.selector, None if peer.namespace == namespace else peer.namespace)


def _is_name(peer: AddressPeer) -> bool:
    return peer.domain is not None and len(peer.domain) <= LONGEST and NAME.fullmatch(peer.domain) is not None


def _entities(peer: Peer, one: Allowance, asked: _Asked) -> Iterator[str]:
    """By what a node is to the pod, as pods move: which one it was is not said."""
    match peer:
        case WorldPeer():
            yield "world"
        case NodePeer() if _is_server(peer, one, asked):
            yield "kube-apiserver"
        case NodePeer() if asked.direction is Direction.EGRESS:
            yield from ("host",) if peer.own else ("host", "remote-node")
        case NodePeer() if not peer.own:
            yield "remote-node"
        case AddressPeer():
            if _is_server(peer, one, asked):
                yield "kube-apiserver"
            if any(network.network_address in cache for network in peer.networks for cache in ON_THE_NODE):
                yield "host"


def _is_server(peer: NodePeer | AddressPeer, one: Allowance, asked: _Asked) -> bool:
    if asked.direction is Direction.INGRESS or not all(map(_is_one, one.ports)):
        return False
    hosts = [str(network.network_address) for network in peer.networks]
    return all(
        (host, port.first) in asked.servers for host in hosts for port in one.ports if isinstance(port, PortRange)
    )


def _is_one(port: Port) -> bool:
    return isinstance(port, PortRange) and port.first == port.last


def _ports(ports: Sequence[Port], proxied: bool) -> Iterator[Document]:
    """Everything, where a protocol is meant that has neither ports nor a name: what Cilium can say of it."""
    if any(port.protocol not in {*TRANSPORTS, *ECHO_REQUEST} for port in ports):
        yield {}
        return
    told = [_port(port) for port in ports if port.protocol in TRANSPORTS]
    if told:
        rules = {"rules": EVERY_NAME} if proxied else {}
        yield {"toPorts": [{"ports": part, **rules} for part in in_parts(told, MOST_PORTS)]}
    fields = [ECHO_REQUEST[port.protocol] for port in ports if port.protocol in ECHO_REQUEST]
    if fields:
        yield {"icmps": [{"fields": fields}]}


def _port(port: Port) -> Document:
    protocol = TRANSPORTS[port.protocol]
    if isinstance(port, NamedPort):
        return {"port": port.name, "protocol": protocol}
    end = {"endPort": port.last} if port.last != port.first else {}
    return {"port": str(port.first), **end, "protocol": protocol}


def _warnings(one: Allowance, asked: _Asked) -> Iterator[str]:
    for peer in one.peers:
        if isinstance(peer, PodPeer):
            yield from warnings(peer.selector)
        elif isinstance(peer, AddressPeer) and peer.domain and not _is_name(peer):
            yield f"Warning: {peer.domain} is no name that toFQDNs takes: these are the addresses that it had."
    nodes = [peer for peer in one.peers if isinstance(peer, NodePeer) and not peer.own]
    if any(not _is_server(peer, one, asked) for peer in nodes):
        yield "Cilium tells a pod's own node from the others, and no more: every node is allowed."
    if any(port.protocol in ECHO_REQUEST for port in one.ports):
        yield "Of ICMP the type is not recorded: echo requests are allowed."
    others = {port.protocol for port in one.ports} - {*TRANSPORTS, *ECHO_REQUEST}
    if others:
        names = ", ".join(protocol_name(protocol, None) for protocol in sorted(others))
        yield f"Warning: {names} cannot be named: every protocol and port is allowed."
