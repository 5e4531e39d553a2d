"""Edges of one workload with addresses outside → rules.

Who connects is listed while they are few, as their networks where those are few, else everybody. Where a workload connects
to is listed by domain; whether a dialect writes the name or the addresses is its own matter.
"""

import ipaddress
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain, groupby

from analysis.policy.endpoints import Network
from analysis.policy.recommend.allowances import Edges, Names, in_order, notes, ports_for
from analysis.policy.recommend.model import (
    AddressPeer,
    Allowance,
    Evidence,
    Outside,
    Peer,
    Port,
    WorldPeer,
    network_of,
)
from analysis.policy.recommend.ports import Seen

# More sources than this are taken for the public, unless all of them are of a few networks.
MOST_SOURCES = 8
MOST_SITES = 2
# What one site usually has.
SITE_PREFIX = {4: 24, 6: 64}
# More destinations without a name than this are taken by their sites, and that is said.
MOST_NAMELESS = 32
# What is nobody's outside: RFC 1918, RFC 6598, links, this host; RFC 4193.
PRIVATE = {
    4: ("10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"),
    6: ("fc00::/7", "fe80::/10"),
}
NETWORKS = {version: [ipaddress.ip_network(one) for one in of_one] for version, of_one in PRIVATE.items()}


def source_rules(
    edges: Edges, names: Names, ranges: Sequence[Network], shut: Collection[Seen] = ()
) -> Iterator[Allowance]:
    """From outside, the port says who may come: those of one port are taken together."""
    by_port: dict[Seen, list[Evidence]] = {}
    for edge in edges:
        if isinstance(edge.src, Outside):
            by_port.setdefault((edge.protocol, edge.port), []).append(edge)
    by_peers: dict[tuple[tuple[Peer, ...], tuple[str, ...]], list[Seen]] = {}
    for port, of_one in sorted(by_port.items()):
        addresses = {network_of(edge.src.address) for edge in of_one if isinstance(edge.src, Outside)}
        by_peers.setdefault(_sources(in_order(addresses), ranges), []).append(port)
    for (peers, about), same in by_peers.items():
        evidence = tuple(chain.from_iterable(by_port[port] for port in same))
        ports = ports_for(evidence, names, shut)
        yield Allowance(peers, ports, evidence, (*about, *notes(evidence, ports)))


def _sources(addresses: tuple[Network, ...], ranges: Sequence[Network]) -> tuple[tuple[Peer, ...], tuple[str, ...]]:
    """Peers, and what to know about them."""
    if len(addresses) <= MOST_SOURCES:
        return (AddressPeer(addresses, None),), ()
    sites = in_order({_site(one) for one in addresses})
    if len(sites) <= MOST_SITES:
        return (AddressPeer(sites, None),), (f"{len(addresses):,} addresses of these networks connected",)
    versions = sorted({one.version for one in addresses})
    note = f"{len(addresses):,} addresses outside connected: everybody outside the cluster is allowed"
    if not ranges:
        note += ", and whoever is inside, as the objects do not tell its networks"
    return tuple(_world(version, ranges) for version in versions), (note,)


def is_private(network: Network) -> bool:
    return any(network.network_address in one for one in NETWORKS[network.version])


def _site(address: Network) -> Network:
    return address.supernet(new_prefix=SITE_PREFIX[address.version])


def _world(version: int, ranges: Sequence[Network]) -> WorldPeer:
    return WorldPeer(version, tuple(one for one in ranges if one.version == version))


def destination_rules(edges: Edges, shut: Collection[Seen] = ()) -> Iterator[Allowance]:
    """A rule for each domain; addresses without one together where their ports are the same."""
    by_domain: dict[str | None, dict[Network, list[Evidence]]] = {}
    for edge in edges:
        if isinstance(edge.dst, Outside):
            addresses = by_domain.setdefault(edge.dst.domain, {})
            addresses.setdefault(network_of(edge.dst.address), []).append(edge)
    nameless = by_domain.pop(None, {})
    for domain, addresses in sorted((str(domain), addresses) for domain, addresses in by_domain.items()):
        ports = ports_for(chain.from_iterable(addresses.values()), {}, shut)
        yield _destinations(addresses, ports, domain)
    by_ports: dict[tuple[Port, ...], dict[Network, list[Evidence]]] = {}
    for address, of_one in nameless.items():
        by_ports.setdefault(ports_for(of_one, {}, shut), {})[address] = of_one
    yield from (_destinations(addresses, ports, None) for ports, addresses in by_ports.items())


def _destinations(
    addresses: Mapping[Network, Sequence[Evidence]], ports: tuple[Port, ...], domain: str | None
) -> Allowance:
    evidence = tuple(chain.from_iterable(addresses.values()))
    networks, about = (in_order(addresses), ()) if domain else _nameless(addresses)
    return Allowance((AddressPeer(networks, domain),), ports, evidence, (*about, *notes(evidence, ports)))


def _nameless(addresses: Collection[Network]) -> tuple[tuple[Network, ...], tuple[str, ...]]:
    """Many of one site are its network, but for private ones: next to them are machines of one's own."""
    if len(addresses) <= MOST_NAMELESS:
        return in_order(addresses), ()
    found: set[Network] = set()
    for site, members in groupby(in_order(addresses), key=_site):
        one, *others = members
        found |= {site} if others and not is_private(one) else {one, *others}
    many = f"{len(addresses):,} addresses outside without a name"
    if len(found) == len(addresses):
        return in_order(found), (f"{many} are listed one by one; tomorrow there may be others",)
    return in_order(found), (f"{many} are {len(found):,} addresses and networks (/24, /64), which are allowed whole",)
