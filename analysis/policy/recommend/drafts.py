"""Edges → what each workload of a namespace is allowed."""

import ipaddress
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from analysis.policy.endpoints import Endpoint
from analysis.policy.recommend.cluster import Cluster
from analysis.policy.recommend.dns import Servers
from analysis.policy.recommend.labels import Population
from analysis.policy.recommend.model import (
    AddressPeer,
    Allowance,
    Draft,
    End,
    EveryPod,
    Evidence,
    NamespaceDraft,
    Node,
    NodePeer,
    Outside,
    Peer,
    PodPeer,
    Port,
    Workload,
)
from analysis.policy.recommend.outside import sources
from analysis.policy.recommend.ports import ports_of, widened
from analysis.policy.rules import Direction

Edges = Sequence[Evidence]
WIDER = "ports between the first and the last seen are allowed, too"


@dataclass(frozen=True)
class Known:
    """What every draft is made with."""

    cluster: Cluster
    populations: Mapping[str, Population]
    dns: Servers
    pods: Mapping[Workload, Sequence[Endpoint]]


def namespace_draft(name: str, edges: Edges, known: Known) -> NamespaceDraft:
    members = [member for member in known.cluster.members if member.workload.namespace == name]
    on_nodes = {member.workload for member in members if member.pod.host_network}
    seen = {
        end for edge in edges for end in (edge.src, edge.dst) if isinstance(end, Workload) and end.namespace == name
    }
    workloads = sorted({*(member.workload for member in members), *seen} - on_nodes)
    drafts = [_draft(workload, edges, known) for workload in workloads]
    asked = [
        edge
        for edge in edges
        if isinstance(edge.src, Workload) and edge.src.namespace == name and known.dns.answer(edge)
    ]
    return NamespaceDraft(
        name=name,
        dns=known.dns.allowances(asked),
        drafts=tuple(draft for draft in drafts if any(draft.allowances.values())),
        idle=tuple(draft.workload for draft in drafts if not any(draft.allowances.values())),
        on_nodes=tuple(sorted(on_nodes)),
    )


def _draft(workload: Workload, edges: Edges, known: Known) -> Draft:
    into = [edge for edge in edges if edge.dst == workload]
    out = [edge for edge in edges if edge.src == workload and not known.dns.answer(edge)]
    return Draft(
        workload=workload,
        selector=known.populations[workload.namespace].choose((workload,)).selector,
        allowances={
            Direction.INGRESS: tuple(_ingress(workload, into, known)),
            Direction.EGRESS: tuple(_egress(out, known)),
        },
    )


def _ingress(workload: Workload, edges: Edges, known: Known) -> Iterator[Allowance]:
    asked = [edge for edge in edges if known.dns.answer(edge) and isinstance(edge.src, Workload)]
    if workload in known.dns.ends:
        yield Allowance((EveryPod(),), known.dns.ports, tuple(asked))
    edges = [edge for edge in edges if edge not in asked] if workload in known.dns.ends else edges
    listening = known.pods.get(workload, ())
    yield from _pods(edges, lambda edge: edge.src, lambda _: listening, known)
    yield from _nodes(edges, lambda edge: edge.src, listening)
    yield from _sources(edges, listening, known)


def _egress(edges: Edges, known: Known) -> Iterator[Allowance]:
    yield from _pods(edges, lambda edge: edge.dst, lambda end: known.pods.get(end, ()), known)
    yield from _nodes(edges, lambda edge: edge.dst, ())
    yield from _destinations(edges)


def _pods(
    edges: Edges, other: Callable[[Evidence], End], listening: Callable[[Workload], Sequence[Endpoint]], known: Known
) -> Iterator[Allowance]:
    """A rule for the workloads of a namespace that have the same ports."""
    by_workload = {end: of_one for end, of_one in _by(edges, other).items() if isinstance(end, Workload)}
    by_rule: dict[tuple[str, tuple[Port, ...]], list[Workload]] = {}
    for end, of_one in by_workload.items():
        by_rule.setdefault((end.namespace, ports_of(_seen(of_one), listening(end))), []).append(end)
    for (namespace, ports), workloads in by_rule.items():
        evidence = tuple(chain.from_iterable(by_workload[one] for one in sorted(workloads)))
        peers = _pod_peers(namespace, workloads, known.populations[namespace])
        yield Allowance(tuple(peers), ports, evidence, _notes(evidence, ports))


def _pod_peers(namespace: str, workloads: Sequence[Workload], population: Population) -> Iterator[Peer]:
    for together in population.families(workloads):
        yield PodPeer(namespace, population.choose(together).selector, together)


def _nodes(edges: Edges, other: Callable[[Evidence], End], listening: Sequence[Endpoint]) -> Iterator[Allowance]:
    """The own node by itself: some dialects want no rule for it."""
    by_node: dict[tuple[str, bool], list[Evidence]] = {}
    for edge in edges:
        end = other(edge)
        if isinstance(end, Node):
            by_node.setdefault((end.name, edge.own_node), []).append(edge)
    by_rule: dict[tuple[bool, tuple[Port, ...]], list[str]] = {}
    for (name, own), of_one in sorted(by_node.items()):
        by_rule.setdefault((own, ports_of(_seen(of_one), listening)), []).append(name)
    for (own, ports), names in by_rule.items():
        evidence = tuple(chain.from_iterable(by_node[name, own] for name in names))
        addresses = {name: {str(getattr(other(edge), "address", "")) for edge in by_node[name, own]} for name in names}
        peers = tuple(NodePeer(name, _networks(addresses[name]), own) for name in names)
        yield Allowance(peers, ports, evidence, _notes(evidence, ports))


def _sources(edges: Edges, listening: Sequence[Endpoint], known: Known) -> Iterator[Allowance]:
    """Outside the port says who may come, not the address."""
    by_port: dict[tuple[int, int], list[Evidence]] = {}
    for edge in edges:
        if isinstance(edge.src, Outside):
            by_port.setdefault((edge.protocol, edge.port), []).append(edge)
    by_peers: dict[tuple[tuple[Peer, ...], tuple[str, ...]], list[tuple[int, int]]] = {}
    for port, of_one in sorted(by_port.items()):
        ends = (edge.src for edge in of_one if isinstance(edge.src, Outside))
        by_peers.setdefault(sources(ends, known.cluster.ranges), []).append(port)
    for (peers, notes), seen in by_peers.items():
        evidence = tuple(chain.from_iterable(by_port[port] for port in seen))
        ports = ports_of(seen, listening)
        yield Allowance(peers, ports, evidence, (*notes, *_notes(evidence, ports)))


def _destinations(edges: Edges) -> Iterator[Allowance]:
    """A rule for each domain; addresses without one together where their ports are the same."""
    by_domain: dict[str, list[Evidence]] = {}
    by_address: dict[str, list[Evidence]] = {}
    for edge in edges:
        if isinstance(edge.dst, Outside):
            group, key = (by_domain, edge.dst.domain) if edge.dst.domain else (by_address, edge.dst.address)
            group.setdefault(key, []).append(edge)
    for domain, evidence in sorted(by_domain.items()):
        yield from _by_ports({address: of_one for address, of_one in _by_address(evidence).items()}, domain)
    yield from _by_ports(by_address, None)


def _by_address(edges: Edges) -> dict[str, list[Evidence]]:
    found: dict[str, list[Evidence]] = {}
    for edge in edges:
        if isinstance(edge.dst, Outside):
            found.setdefault(edge.dst.address, []).append(edge)
    return found


def _by_ports(by_address: Mapping[str, list[Evidence]], domain: str | None) -> Iterator[Allowance]:
    """Every address of a domain gets the ports of the domain."""
    by_rule: dict[tuple[Port, ...], list[str]] = {}
    everything = _seen(chain.from_iterable(by_address.values()))
    for address, of_one in by_address.items():
        by_rule.setdefault(ports_of(everything if domain else _seen(of_one), ()), []).append(address)
    for ports, addresses in by_rule.items():
        evidence = tuple(chain.from_iterable(by_address[one] for one in sorted(addresses)))
        yield Allowance((AddressPeer(_networks(addresses), domain),), ports, evidence, _notes(evidence, ports))


def _by(edges: Edges, other: Callable[[Evidence], End]) -> dict[End, list[Evidence]]:
    found: dict[End, list[Evidence]] = {}
    for edge in edges:
        found.setdefault(other(edge), []).append(edge)
    return found


def _seen(edges: Iterable[Evidence]) -> list[tuple[int, int]]:
    return sorted({(edge.protocol, edge.port) for edge in edges})


def _networks(addresses: Iterable[str]) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    found = {ipaddress.ip_network(address) for address in addresses}
    return tuple(sorted(found, key=lambda one: (one.version, int(one.network_address))))


def _notes(edges: Iterable[Evidence], ports: Sequence[Port]) -> tuple[str, ...]:
    return (WIDER,) if widened(_seen(edges), ports) else ()
