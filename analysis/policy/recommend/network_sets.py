"""Addresses outside as Calico's network sets: those of a domain, or so many that a rule is no place for them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from analysis.policy.endpoints import Network, network_order
from analysis.policy.recommend.manifest import Manifest
from analysis.policy.recommend.metadata import metadata
from analysis.policy.recommend.model import AddressPeer, NamespaceDraft, Style
from analysis.policy.recommend.names import hashed_name

API_VERSION = "projectcalico.org/v3"
# A network set says by it what it is, and rules select by it.
LABEL = "tailrace/network-set"
MOST_IN_A_RULE = 16
# What Calico Enterprise and Cloud take for a domain.
_PART = r"[a-z0-9_]([-a-z0-9_]{0,61}[a-z0-9_])?"
DOMAIN = re.compile(rf"(?=.{{1,253}}$){_PART}(\.{_PART})*", re.ASCII)


@dataclass(frozen=True)
class NetworkSet:
    """All that a namespace has of one domain."""

    domain: str | None
    networks: tuple[Network, ...]


def sets_of(draft: NamespaceDraft) -> dict[str, NetworkSet]:
    """By name."""
    found: dict[str, NetworkSet] = {}
    for peer in _peers(draft):
        name = set_name(peer)
        if name is not None:
            known = found[name].networks if name in found else ()
            networks = sorted({*known, *peer.networks}, key=network_order)
            found[name] = NetworkSet(peer.domain, tuple(networks))
    return dict(sorted(found.items()))


def _peers(draft: NamespaceDraft) -> Iterator[AddressPeer]:
    allowances = [one for each in draft.drafts for of_one in each.allowances.values() for one in of_one]
    for one in (*draft.dns, *allowances):
        yield from (peer for peer in one.peers if isinstance(peer, AddressPeer))


def set_name(peer: AddressPeer) -> str | None:
    """None of addresses that stand in the rule."""
    if peer.domain:
        return hashed_name(peer.domain, peer.domain)
    if len(peer.networks) <= MOST_IN_A_RULE:
        return None
    return hashed_name("addresses", " ".join(map(str, peer.networks)))


def by_domain(domain: str | None, style: Style) -> bool:
    return style.domains and domain is not None and DOMAIN.fullmatch(domain) is not None


def manifests(namespace: str, sets: Mapping[str, NetworkSet], style: Style) -> Iterator[Manifest]:
    for name, one in sets.items():
        if by_domain(one.domain, style):
            spec = {"allowedEgressDomains": [one.domain]}
        else:
            spec = {"nets": [str(network) for network in one.networks]}
        head = metadata(namespace, name, labels={LABEL: name})
        document = {"apiVersion": API_VERSION, "kind": "NetworkSet", "metadata": head, "spec": spec}
        yield Manifest(document, tuple(_above(one, style)))


def _above(one: NetworkSet, style: Style) -> Iterator[str]:
    if not one.domain:
        yield "Addresses outside that a rule of this namespace names."
        return
    yield f"What {one.domain} was resolved to."
    if not by_domain(one.domain, style):
        yield f"Warning: these are the addresses that {one.domain} had; it may have others tomorrow."
