"""Edges of one workload in one direction → rules for pods and nodes."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain

from analysis.graph import protocol_name
from analysis.policy.endpoints import Network, Workload, network_order
from analysis.policy.recommend.labels import Choice, Population, doubts
from analysis.policy.recommend.model import Allowance, End, Evidence, Node, NodePeer, PodPeer, Port, network_of
from analysis.policy.recommend.ports import Seen, ports_of, widened
from analysis.policy.rules import NamedPort

Edges = Sequence[Evidence]
Names = Mapping[Seen, NamedPort]
Other = Callable[[Evidence], End]
# Ports of an end, the other one of a rule, that were tried and are not to be opened.
Shut = Callable[[End], Collection[Seen]]


def pod_rules(
    edges: Edges, other: Other, names: Callable[[Workload], Names], populations: Mapping[str, Population], shut: Shut
) -> Iterator[Allowance]:
    """A rule for the workloads of a namespace that have the same ports; ``names`` are those of whoever listens."""
    by_workload: dict[Workload, list[Evidence]] = {}
    for edge in edges:
        end = other(edge)
        if isinstance(end, Workload):
            by_workload.setdefault(end, []).append(edge)
    by_rule: dict[tuple[str, tuple[Port, ...]], list[Workload]] = {}
    for end, of_one in sorted(by_workload.items(), key=lambda one: one[0]):
        by_rule.setdefault((end.namespace, ports_for(of_one, names(end), shut(end))), []).append(end)
    for (namespace, ports), workloads in by_rule.items():
        evidence = tuple(chain.from_iterable(by_workload[one] for one in workloads))
        chosen = _chosen(workloads, populations[namespace])
        peers = tuple(PodPeer(namespace, choice.selector, together) for together, choice in chosen)
        doubtful = [note for _, choice in chosen for note in doubts(choice)]
        yield Allowance(peers, ports, evidence, (*doubtful, *notes(evidence, ports)))


def _chosen(workloads: Sequence[Workload], population: Population) -> list[tuple[tuple[Workload, ...], Choice]]:
    return [(together, population.choose(together)) for together in population.families(workloads)]


def node_rules(edges: Edges, other: Other, names: Names, shut: Shut) -> Iterator[Allowance]:
    """The own node by itself: some dialects want no rule for it."""
    by_node: dict[tuple[str, bool], list[Evidence]] = {}
    addresses: dict[tuple[str, bool], set[Network]] = {}
    for edge in edges:
        end = other(edge)
        if isinstance(end, Node):
            by_node.setdefault((end.name, edge.own_node), []).append(edge)
            addresses.setdefault((end.name, edge.own_node), set()).add(network_of(end.address))
    by_rule: dict[tuple[bool, tuple[Port, ...]], list[str]] = {}
    for (name, own), of_one in sorted(by_node.items()):
        by_rule.setdefault((own, ports_for(of_one, names, shut(other(of_one[0])))), []).append(name)
    for (own, ports), nodes in by_rule.items():
        evidence = tuple(chain.from_iterable(by_node[name, own] for name in nodes))
        peers = tuple(NodePeer(name, in_order(addresses[name, own]), own) for name in nodes)
        yield Allowance(peers, ports, evidence, notes(evidence, ports))


def ports_for(edges: Iterable[Evidence], names: Names, shut: Collection[Seen]) -> tuple[Port, ...]:
    """Nothing is allowed for the sake of what never answered but that itself."""
    found = list(edges)
    answered = seen(edge for edge in found if edge.unanswered < edge.connections)
    return ports_of(seen(found), names, {*shut, *seen(found)} - {*answered})


def seen(edges: Iterable[Evidence]) -> list[Seen]:
    return sorted({(edge.protocol, edge.port) for edge in edges})


def in_order(networks: Iterable[Network]) -> tuple[Network, ...]:
    return tuple(sorted(networks, key=network_order))


def notes(edges: Iterable[Evidence], ports: Sequence[Port]) -> tuple[str, ...]:
    return tuple(
        f"{protocol_name(port.protocol, None)} {port.first}-{port.last} is allowed, "
        f"of which {unseen:,} {'port was' if unseen == 1 else 'ports were'} not seen"
        for port, unseen in widened(seen(edges), ports)
    )
