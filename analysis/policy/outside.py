"""The addresses outside that a number of policies tell apart, and their names in a report."""

import ipaddress
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from itertools import pairwise
from typing import NamedTuple, Protocol, runtime_checkable

from analysis.policy.endpoints import Endpoint, Network
from analysis.policy.rules import Policies

WORLD = {4: ipaddress.ip_network("0.0.0.0/0"), 6: ipaddress.ip_network("::/0")}
# So many blocks are read more easily than one block and what is not in it.
FEW = 4
# Stands for the ``*`` of a pattern; nobody's name.
ANY = "any-name-of-tailrace"


class Interval(NamedTuple):
    """Addresses from ``first`` to ``last`` of one IP version."""

    version: int
    first: int
    last: int

    @property
    def endpoint(self) -> Endpoint:
        """Any of them stands for all."""
        address = str(_address(self.version, self.first))
        return Endpoint("external", None, address, address, {}, {}, None, {}, False, None)


class Domain(NamedTuple):
    """Names that a pattern matches, at addresses that nobody knows: no block has them."""

    pattern: str

    @property
    def endpoint(self) -> Endpoint:
        """One name that the pattern matches: ``*`` stands for something."""
        name = self.pattern.replace("*", ANY)
        return Endpoint("external", None, name, None, {}, {}, None, {}, False, None, name)


@runtime_checkable
class DomainPattern(Protocol):
    """What of a dialect's selections matches domains; ``*`` in it stands for one character or more."""

    @property
    def pattern(self) -> str: ...


@dataclass
class Named:
    """Every block and every pattern of domains that any selection has inside it."""

    networks: set[Network] = field(default_factory=set)
    domains: set[str] = field(default_factory=set)
    _seen: set[Hashable] = field(default_factory=set)

    def collect(self, value: object) -> None:
        if isinstance(value, ipaddress.IPv4Network | ipaddress.IPv6Network):
            self.networks.add(value)
        elif isinstance(value, tuple | frozenset):
            for part in value:
                self.collect(part)
        elif is_dataclass(value) and isinstance(value, Hashable) and value not in self._seen:
            self._seen.add(value)
            self.domains |= {value.pattern} if isinstance(value, DomainPattern) else set()
            for one in fields(value):
                self.collect(getattr(value, one.name))


def named_outside(policies: Policies) -> Named:
    found = Named()
    for section in policies.sections:
        found.collect(section.subject)
        for rule in section.rules:
            found.collect((*rule.peers, rule.own))
    return found


def intervals(blocks: Iterable[Network], versions: Iterable[int]) -> Iterator[Interval]:
    """What no block divides; together they are every address of the versions."""
    cuts = {version: {0, _end(WORLD[version])} for version in versions}
    for block in blocks:
        if block.version in cuts:
            cuts[block.version] |= {int(block.network_address), _end(block)}
    for version, of_one in sorted(cuts.items()):
        yield from (Interval(version, first, after - 1) for first, after in pairwise(sorted(of_one)))


def names(parts: Sequence[Interval | Domain]) -> list[str]:
    """Blocks that have exactly these addresses: as they are, or one block with what is not of it."""
    found = [part.pattern for part in parts if isinstance(part, Domain)]
    for version, world in WORLD.items():
        blocks = _blocks([part for part in parts if isinstance(part, Interval) and part.version == version])
        missing = _missing(blocks, world)
        if len(blocks) > FEW and len(missing) + 1 < len(blocks):
            found.append(f"{world} but {', '.join(map(str, missing))}" if missing else str(world))
        else:
            found += map(str, blocks)
    return found


def _blocks(parts: Sequence[Interval]) -> list[Network]:
    whole: list[Network] = []
    for first, last in _joined(parts):
        version = parts[0].version
        whole += ipaddress.summarize_address_range(_address(version, first), _address(version, last))
    return whole


def _joined(parts: Iterable[Interval]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for _, first, last in sorted(parts):
        if found and found[-1][1] + 1 == first:
            found[-1] = found[-1][0], last
        else:
            found.append((first, last))
    return found


def _missing(blocks: Sequence[Network], world: Network) -> list[Network]:
    ends = [(int(block.network_address), _end(block)) for block in blocks]
    gaps = [
        (before, first) for (_, before), (first, _) in pairwise([(0, 0), *ends, (_end(world), 0)]) if before < first
    ]
    return _blocks([Interval(world.version, first, after - 1) for first, after in gaps])


def _end(block: Network) -> int:
    return int(block.broadcast_address) + 1


def _address(version: int, number: int) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    return ipaddress.IPv4Address(number) if version == 4 else ipaddress.IPv6Address(number)
