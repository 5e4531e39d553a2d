"""Addresses of a rule, and the IP version it is about."""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from analysis.policy.endpoints import ABSENT, Columns, Mask, Network
from analysis.policy.parts import Part

MOST_NETWORKS = 256


@dataclass(frozen=True)
class Inside:
    networks: tuple[Network, ...]

    def mask(self, columns: Columns) -> Mask:
        return columns.inside_any(self.networks)


@dataclass(frozen=True)
class OfVersion:
    """Whose address is of this version, or unknown: the other end's says it then."""

    version: int

    def mask(self, columns: Columns) -> Mask:
        return np.isin(columns.versions, [self.version, ABSENT])


@dataclass(frozen=True)
class Unaddressed:
    def mask(self, columns: Columns) -> Mask:
        return np.asarray(columns.versions == ABSENT)


def networks(entity: Part, field: str) -> tuple[Network, ...]:
    """Of a rule: CIDRs without bits behind the prefix."""
    told = entity.items(field)
    if len(told) > MOST_NETWORKS:
        raise told[-1].wrong(
            f"is one of {len(told)} networks, more than {MOST_NETWORKS}", "put them into a GlobalNetworkSet"
        )
    found = tuple(one.network for one in told)
    for part, network in zip(told, found, strict=True):
        if ipaddress.ip_address(part.text.partition("/")[0]) != network.network_address:
            raise part.wrong(f"{part.text!r:.60} has bits behind its prefix", f"write {network}")
    _refuse_twice(told, found)
    return found


def set_networks(spec: Part) -> tuple[Network, ...]:
    """Of a network set: addresses and CIDRs, whatever is behind the prefix."""
    told = spec.items("nets")
    found = tuple(_address(part) if "/" not in part.text else part.network for part in told)
    _refuse_twice(told, found)
    return found


def _address(part: Part) -> Network:
    try:
        return ipaddress.ip_network(ipaddress.ip_address(part.text))
    except ValueError:
        return part.network


def _refuse_twice(told: Iterable[Part], found: Iterable[Network]) -> None:
    seen = set()
    for part, network in zip(told, found, strict=True):
        if (part.text, network) in seen:
            raise part.wrong(f"{part.text!r:.60} is in the list twice", "leave one out")
        seen.add((part.text, network))
