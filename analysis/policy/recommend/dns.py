"""Who answers the names of the cluster: every pod may always ask them."""

import ipaddress
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from analysis.policy.endpoints import PROTOCOLS, Endpoint, Workload
from analysis.policy.recommend.cluster import Cluster, Service, target
from analysis.policy.recommend.labels import Population
from analysis.policy.recommend.model import (
    AddressPeer,
    Allowance,
    End,
    Evidence,
    Node,
    NodePeer,
    Outside,
    Peer,
    PodPeer,
    Port,
    network_of,
)
from analysis.policy.rules import NamedPort, PortRange
from analysis.policy.selectors import Operator, Requirement

PORT = 53
TRANSPORTS = (PROTOCOLS["UDP"], PROTOCOLS["TCP"])
NAMES = frozenset({"kube-dns", "coredns"})
LABELS = ("k8s-app", "app.kubernetes.io/name", "app")
# What Service and pods are called where nothing else is known: every distribution of CoreDNS keeps it.
USUAL = PodPeer("kube-system", (Requirement("k8s-app", Operator.IN, ("kube-dns",)),), ())
# A cache on each node answers at an address of the link, NodeLocal DNSCache for one.
ON_THE_NODE = (ipaddress.ip_network("169.254.0.0/16"), ipaddress.ip_network("fe80::/10"))


@dataclass(frozen=True)
class Servers:
    """``ends`` are those of history that are meant; ``guessed`` says how they were found if not by the objects."""

    peers: tuple[Peer, ...]
    ends: frozenset[End]
    ports: tuple[Port, ...]
    numbers: frozenset[int]
    guessed: str | None = None

    def answer(self, edge: Evidence) -> bool:
        return edge.dst in self.ends and edge.protocol in TRANSPORTS and edge.port in self.numbers

    def allowances(self, edges: Iterable[Evidence]) -> tuple[Allowance, ...]:
        """A rule for each kind of peer; the evidence stands at the first."""
        kinds = list(dict.fromkeys(type(peer) for peer in self.peers))
        evidence = tuple(edges)
        return tuple(
            Allowance(tuple(peer for peer in self.peers if type(peer) is kind), self.ports, evidence if first else ())
            for first, kind in zip((True, *[False] * len(kinds)), kinds, strict=False)
        )


def servers(cluster: Cluster, edges: Sequence[Evidence], populations: Mapping[str, Population]) -> Servers:
    """By the Service, by the labels of pods, by who answered most, by what is usual."""
    caches = {edge.dst for edge in edges if _is_cache(edge)}
    services = [service for service in cluster.services if _is_dns(service)]
    behind = [(member, _targets(service, member.pod)) for service in services for member in cluster.behind(service)]
    known = behind or [(member, {PORT}) for member in cluster.members if _is_labelled(member.pod)]
    # Of the host network nobody is selected: they are found by who answers.
    found = [(member.workload, numbers) for member, numbers in known if not member.pod.host_network]
    if found:
        numbers = frozenset(number for _, of_one in found for number in of_one)
        return _servers({*(workload for workload, _ in found), *caches}, numbers, populations)
    selectors = [service for service in services if service.selector]
    if selectors and not known:
        return _of_selector(selectors[0], caches)
    asked = _most_asked(edges)
    if asked:
        return _servers({asked, *caches}, frozenset({PORT}), populations, f"{asked}, who answered most of the pods")
    return _usual(caches, populations)


def _targets(service: Service, pod: Endpoint) -> set[int]:
    return {number for port in service.ports if port.port == PORT and (number := target(port, pod))}


def _is_labelled(pod: Endpoint) -> bool:
    return any(pod.labels.get(key) in NAMES for key in LABELS)


def _is_dns(service: Service) -> bool:
    named = service.name in NAMES or service.labels.get("k8s-app") in NAMES or service.name == "dns-default"
    system = service.namespace in ("kube-system", "openshift-dns")
    return (named or (system and "dns" in service.name)) and any(
        port.port == PORT and port.protocol in TRANSPORTS for port in service.ports
    )


def _is_cache(edge: Evidence) -> bool:
    if not isinstance(edge.dst, Outside) or edge.port != PORT:
        return False
    address = ipaddress.ip_address(edge.dst.address)
    return any(address in network for network in ON_THE_NODE)


def _most_asked(edges: Iterable[Evidence]) -> End | None:
    """By workloads that asked; the first by name of several."""
    pairs = {(str(edge.src), edge.dst) for edge in edges if edge.port == PORT and edge.protocol in TRANSPORTS}
    counts = Counter(dst for _, dst in pairs)
    return min(counts, key=lambda end: (-counts[end], str(end)), default=None)


def _servers(
    ends: set[End], numbers: frozenset[int], populations: Mapping[str, Population], guessed: str | None = None
) -> Servers:
    peers = [peer for end in sorted(ends, key=str) for peer in _peer(end, populations)]
    return Servers(tuple(peers), frozenset(ends), _ports(numbers), numbers, guessed)


def _ports(numbers: Iterable[int]) -> tuple[Port, ...]:
    return tuple(PortRange(protocol, number, number) for protocol in TRANSPORTS for number in sorted(numbers))


def _peer(end: End, populations: Mapping[str, Population]) -> list[Peer]:
    match end:
        case Workload():
            choice = populations[end.namespace].choose((end,))
            return [PodPeer(end.namespace, choice.selector, (end,))]
        case Node():
            return [NodePeer(end.name, (network_of(end.address),), False)]
        case Outside():
            return [AddressPeer((network_of(end.address),), None)]


def _of_selector(service: Service, caches: set[End]) -> Servers:
    """The pods of the DNS are not in the objects, but whom its Service selects is."""
    selector = tuple(Requirement(key, Operator.IN, (value,)) for key, value in sorted(service.selector.items()))
    targets = {port.target for port in service.ports if port.port == PORT}
    numbers = frozenset(one for one in targets if isinstance(one, int))
    names = sorted(one for one in targets if isinstance(one, str))
    named = (NamedPort(protocol, name) for name in names for protocol in TRANSPORTS)
    return _with(PodPeer(service.namespace, selector, ()), caches, {}, (*_ports(numbers), *named))


def _usual(caches: set[End], populations: Mapping[str, Population]) -> Servers:
    guessed = "pods of kube-system with the label k8s-app=kube-dns, as is usual; nobody was seen to ask"
    return replace(_with(USUAL, caches, populations, _ports({PORT})), guessed=guessed)


def _with(pods: PodPeer, caches: set[End], populations: Mapping[str, Population], ports: tuple[Port, ...]) -> Servers:
    """``pods`` are in no history, but what is asked on each node may be."""
    peers = [peer for end in sorted(caches, key=str) for peer in _peer(end, populations)]
    return Servers((pods, *peers), frozenset(caches), ports, frozenset({PORT}))
