"""Addresses that connect from outside: listed while they are few, their networks where those are, else everybody."""

import ipaddress
from collections.abc import Iterable, Sequence

from analysis.policy.endpoints import Network
from analysis.policy.recommend.model import AddressPeer, Outside, Peer, WorldPeer

# More sources than this are taken for the public, unless all of them are of a few networks.
MOST_SOURCES = 8
MOST_NETWORKS = 2
# What one site usually has.
SITE_PREFIX = {4: 24, 6: 64}


def sources(ends: Iterable[Outside], ranges: Sequence[Network]) -> tuple[tuple[Peer, ...], tuple[str, ...]]:
    """Peers for those who connect, and what to know about them."""
    addresses = sorted({ipaddress.ip_address(end.address) for end in ends}, key=lambda one: (one.version, one))
    if len(addresses) <= MOST_SOURCES:
        return (AddressPeer(tuple(ipaddress.ip_network(one) for one in addresses), None),), ()
    sites = dict.fromkeys(_site(one) for one in addresses)
    if len(sites) <= MOST_NETWORKS:
        return (AddressPeer(tuple(sites), None),), (f"{len(addresses)} addresses of these networks connected",)
    versions = sorted({one.version for one in addresses})
    note = f"{len(addresses):,} addresses outside connected: taken as open to everybody outside the cluster"
    return tuple(_world(version, ranges) for version in versions), (note,)


def _site(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> Network:
    return ipaddress.ip_network(f"{address}/{SITE_PREFIX[address.version]}", strict=False)


def _world(version: int, ranges: Sequence[Network]) -> WorldPeer:
    return WorldPeer(version, tuple(one for one in ranges if one.version == version))
