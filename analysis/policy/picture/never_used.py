"""Edges between workloads of the cluster as it is that policies allow, and that nobody used."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

import numpy as np

from analysis.graph import SEVERAL
from analysis.policy import words
from analysis.policy.endpoints import PROTOCOLS, Columns, Mask, Numbers
from analysis.policy.evaluate import Edges, evaluate
from analysis.policy.picture.blocks import blocks_in
from analysis.policy.picture.ends import End, Ends, Scope
from analysis.policy.rules import (
    MOST_PORT,
    NO_PORT,
    Action,
    AllBut,
    Direction,
    NamedPort,
    Policies,
    Port,
    Rule,
    Section,
)

TCP = 6
ANY_PORT = "any port"
# Of rules that name many more than talk, so many edges are tried.
MOST_TRIED = 20_000
# More that one rule names, and that never used it, are drawn as one.
MOST_PEERS = 4

EVERYBODY = End("external", None, None, "everybody")


@dataclass(frozen=True)
class Unused:
    """What the rule of this number allows; ``ports`` are those that nobody used."""

    src: End
    dst: End
    protocol: int
    ports: str
    rule: int
    direction: Direction


@dataclass(frozen=True)
class _Tried:
    """One port of one rule, and one edge that it would allow."""

    rule: int
    direction: Direction
    ports: str
    src: int
    dst: int
    protocol: int
    port: int


class _Ports(NamedTuple):
    """What nobody used of one rule."""

    rule: int
    direction: Direction
    protocol: int
    ports: str


@dataclass(frozen=True)
class Search:
    policies: Policies
    ends: Ends
    columns: Columns
    seen: Edges
    scope: Scope

    def found(self) -> Iterator[Unused]:
        every = (one for number, section, rule in self._rules() for one in self._of_rule(number, section, rule))
        tried = list(islice(every, MOST_TRIED))
        allowed = (one for one, allowed in zip(tried, self._allowed(tried), strict=True) if allowed)
        for (one, near), peers in self._by_rule(self._once(allowed)).items():
            for far in _together(peers):
                src, dst = (near, far) if one.direction is Direction.EGRESS else (far, near)
                yield Unused(src, dst, one.protocol, one.ports, one.rule, one.direction)
        for number, section, rule in self._rules():
            yield from self._addresses(number, section, rule)

    def _once(self, tried: Iterable[_Tried]) -> dict[tuple[int, int], list[_Tried]]:
        """By the ends: the ports that rules on either side allow between them, each once."""
        found: dict[tuple[int, int], list[_Tried]] = defaultdict(list)
        for one in tried:
            between = found[int(self.ends.of[one.src]), int(self.ends.of[one.dst])]
            if all(other.ports != one.ports for other in between):
                between.append(one)
        return found

    def _by_rule(self, found: dict[tuple[int, int], list[_Tried]]) -> dict[tuple[_Ports, End], list[End]]:
        """Peers with the same unused ports of one rule."""
        peers: dict[tuple[_Ports, End], list[End]] = defaultdict(list)
        for pair, between in found.items():
            for rule in dict.fromkeys((one.rule, one.direction) for one in between):
                of_rule = [one for one in between if (one.rule, one.direction) == rule]
                ends = [self.ends.ends[end] for end in pair]
                near, far = ends if rule[1] is Direction.EGRESS else ends[::-1]
                ports = _Ports(*rule, of_rule[0].protocol, ", ".join(one.ports for one in of_rule))
                peers[ports, near].append(far)
        return peers

    def _rules(self) -> Iterator[tuple[int, Section, Rule]]:
        number = 0
        for section in self.policies.sections:
            for rule in section.rules:
                if rule.action is Action.ALLOW and not rule.unsure:
                    yield number, section, rule
                number += 1

    def _allowed(self, tried: Sequence[_Tried]) -> Mask:
        names = ("src", "dst", "protocol", "port")
        edges = Edges(*(np.array([getattr(one, name) for one in tried], np.int64) for name in names))
        return evaluate(self.policies, self.ends.endpoints, edges).allowed

    def _of_rule(self, number: int, section: Section, rule: Rule) -> Iterator[_Tried]:
        """For each port of the rule the pairs that could use it and did not."""
        if not rule.peers:
            return
        own, named = self._own(section, rule), rule.names(self.columns) & self.columns.pods
        ports = [(port, self._used(section.direction, own, named, port)) for port in rule.ports or (None,)]
        for pair, endpoints in self._pairs(own & self.ends.now, named & self.ends.now):
            src, dst = endpoints if section.direction is Direction.EGRESS else endpoints[::-1]
            for port in (port for port, used in ports if pair not in used):
                protocol, probe = self._probe(port, dst)
                if probe is not None:
                    yield _Tried(number, section.direction, _told(port), src, dst, protocol, probe)

    def _own(self, section: Section, rule: Rule) -> Mask:
        return self.columns.of(section.subject) & self.columns.of(rule.own) & self.columns.pods

    def _pairs(self, own: Mask, named: Mask) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
        """Own end and named end, with an endpoint of each; one of the two is of the scope."""
        inside = self.ends.inside(self.scope)
        peers, near = self._one_each(named), self._one_each(named & inside)
        for one, endpoint in self._one_each(own).items():
            for other, peer in (peers if inside[endpoint] else near).items():
                if one != other:
                    yield (one, other), (endpoint, peer)

    def _one_each(self, mask: Mask) -> dict[int, int]:
        rows = np.flatnonzero(mask)
        ends, first = np.unique(self.ends.of[rows], return_index=True)
        return dict(zip(ends.tolist(), rows[first].tolist(), strict=True))

    def _used(self, direction: Direction, own: Mask, named: Mask, port: Port | None) -> set[tuple[int, int]]:
        rows = self._matching(direction, own, named, port)
        ends, others = _sides(direction, self.seen)
        return set(zip(self.ends.of[ends[rows]].tolist(), self.ends.of[others[rows]].tolist(), strict=True))

    def _matching(self, direction: Direction, own: Mask, named: Mask, port: Port | None) -> Numbers:
        """The edges of history that meet this port of a rule."""
        ends, others = _sides(direction, self.seen)
        rows = np.flatnonzero(own[ends] & named[others])
        if port is None:
            return rows
        return rows[port.mask(self.columns, self.seen.dst[rows], self.seen.protocol[rows], self.seen.port[rows])]

    def _probe(self, port: Port | None, dst: int) -> tuple[int, int | None]:
        """A protocol and port of dst that stand for all that the rule opens; no port where dst has none of the name."""
        if port is None:
            return TCP, 1
        if isinstance(port, NamedPort):
            number = int(self.columns.port(port.name, port.protocol)[dst])
            return port.protocol, number if number != NO_PORT else None
        if isinstance(port, AllBut):
            return self._not_excepted(port, dst)
        without = 1 if port.protocol in PROTOCOLS.values() else NO_PORT
        return port.protocol, port.first if port.first > 0 else without

    def _not_excepted(self, port: AllBut, dst: int) -> tuple[int, int | None]:
        protocol = next((one.protocol for one in port.among), TCP)
        numbers = np.arange(1, MOST_PORT + 1)
        open_ports = port.mask(self.columns, np.full(len(numbers), dst), np.full(len(numbers), protocol), numbers)
        return protocol, int(numbers[np.argmax(open_ports)]) if open_ports.any() else None

    def _addresses(self, number: int, section: Section, rule: Rule) -> Iterator[Unused]:
        """Of blocks and of everybody only whether anybody used them, as nobody knows who they are."""
        own = self._own(section, rule)
        pods = set(self.ends.of[own & self.ends.now & self.ends.inside(self.scope)].tolist())
        for far, named in self._far(rule):
            for port in rule.ports or (None,):
                protocol = TCP if port is None or isinstance(port, AllBut) else port.protocol
                used = {end for end, _ in self._used(section.direction, own, named, port)}
                for near in (self.ends.ends[end] for end in sorted(pods - used)):
                    src, dst = (near, far) if section.direction is Direction.EGRESS else (far, near)
                    yield Unused(src, dst, protocol, _told(port), number, section.direction)

    def _far(self, rule: Rule) -> Iterator[tuple[End, Mask]]:
        if not rule.peers:
            yield EVERYBODY, np.ones(len(self.columns), np.bool_)
        for peer in rule.peers:
            networks = dict.fromkeys(str(block.network) for block in blocks_in(peer))
            if networks:
                yield End("external", None, None, words.listed(networks)), self.columns.of(peer)


def _told(port: Port | None) -> str:
    return ANY_PORT if port is None else words.port(port)


def _together(peers: Sequence[End]) -> Sequence[End]:
    """Many are one node, which says some of their names."""
    if len(peers) <= MOST_PEERS:
        return peers
    return [End(SEVERAL, None, words.listed(peer.told for peer in peers), f"{len(peers)} workloads")]


def _sides(direction: Direction, edges: Edges) -> tuple[Numbers, Numbers]:
    """Whom a rule is about, and whom it names."""
    return (edges.src, edges.dst) if direction is Direction.EGRESS else (edges.dst, edges.src)
