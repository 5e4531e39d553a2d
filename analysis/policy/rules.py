"""What every dialect of policy becomes.

Tiers are judged in order, in a tier its sections, in a section its rules: the first rule that matches decides. NetworkPolicy
only ever allows, so that its order says no more than which of several rules is named.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from itertools import groupby
from typing import NamedTuple

import numpy as np

from analysis.policy.endpoints import ABSENT, Columns, Mask, Numbers, Selection
from analysis.policy.selectors import Every

MOST_PORT = 65535
# The port of an edge whose protocol has none.
NO_PORT = -1


class Direction(StrEnum):
    INGRESS = "ingress"
    EGRESS = "egress"


class Action(StrEnum):
    ALLOW = "allow"
    DENY = "deny"
    # The next tier decides.
    PASS = "pass"


class Nodes(StrEnum):
    """Which nodes a rule names, of those that its peers select: where a pod itself runs makes the difference for Cilium."""

    ANY = "any"
    # The one the pod runs on.
    OWN = "own"
    OTHERS = "others"
    # Whether it is the pod's own nobody knows.
    UNTOLD = "untold"


class Plugin(StrEnum):
    """Whose policies they are, if not everybody's: what NetworkPolicy leaves to the network plugin is known then."""

    CALICO = "Calico"
    CILIUM = "Cilium"


class Place(NamedTuple):
    """When a section is judged: the lowest first. NetworkPolicy stands where Calico puts it."""

    tier_order: float = 1_000_000
    tier: str = "default"
    order: float = 1000
    name: str = ""


@dataclass(frozen=True)
class PortRange:
    protocol: int
    first: int = NO_PORT
    last: int = MOST_PORT

    def mask(self, columns: Columns, dst: Numbers, protocol: Numbers, port: Numbers) -> Mask:
        return np.asarray((protocol == self.protocol) & (self.first <= port) & (port <= self.last))


@dataclass(frozen=True)
class NamedPort:
    """Whatever number the dst pod gives the name."""

    protocol: int
    name: str

    def mask(self, columns: Columns, dst: Numbers, protocol: Numbers, port: Numbers) -> Mask:
        known = columns.port(self.name, self.protocol)[dst]
        return np.asarray((protocol == self.protocol) & (known == port) & (port != NO_PORT))


@dataclass(frozen=True)
class AllBut:
    """Of ``among``, or of every protocol and port if that is empty, all but these."""

    ports: tuple[PortRange | NamedPort, ...]
    among: tuple[PortRange | NamedPort, ...] = ()

    def mask(self, columns: Columns, dst: Numbers, protocol: Numbers, port: Numbers) -> Mask:
        excepted = _any_port(self.ports, columns, dst, protocol, port)
        return ~excepted & _any_port(self.among, columns, dst, protocol, port) if self.among else ~excepted


Port = PortRange | NamedPort | AllBut


@dataclass(frozen=True)
class Rule:
    """Whom it names, and on which ports: with no peers everybody, with no ports every port.

    ``own`` are those of its section's subject that it is about. ``unsure`` is what else it hangs on that no flow record tells
    (a source port, an ICMP type): nobody knows whether it decides the edges that it names.
    """

    origin: str
    peers: tuple[Selection, ...] = ()
    ports: tuple[Port, ...] = ()
    action: Action = Action.ALLOW
    own: Selection = Every()
    unsure: str = ""
    nodes: Nodes = Nodes.ANY

    def meets(self, columns: Columns, own: Numbers, other: Numbers) -> Mask:
        """Which pairs it is about: one of its section's subject, and whoever is at the other end."""
        pairs = self.names(columns)[other] & columns.of(self.own)[own]
        return pairs if self.nodes is Nodes.ANY else np.asarray(pairs & self._at(columns, own, other))

    def _at(self, columns: Columns, own: Numbers, other: Numbers) -> Mask:
        home, node = columns.node_numbers[own], columns.node_numbers[other]
        told = (home != ABSENT) & (node != ABSENT)
        match self.nodes:
            case Nodes.OWN:
                found = told & (home == node)
            case Nodes.OTHERS:
                found = told & (home != node)
            case _:
                found = ~told
        return np.asarray(columns.nodes[other] & found)

    def names(self, columns: Columns) -> Mask:
        if not self.peers:
            return np.ones(len(columns), np.bool_)
        return np.asarray(np.logical_or.reduce([columns.of(peer) for peer in self.peers]))

    def opens(self, columns: Columns, dst: Numbers, protocol: Numbers, port: Numbers) -> Mask:
        if not self.ports:
            return np.ones(len(dst), np.bool_)
        return _any_port(self.ports, columns, dst, protocol, port)


@dataclass(frozen=True)
class Section:
    """One direction of one policy: its rules decide about its subject, and what they leave is denied if it isolates."""

    origin: str
    direction: Direction
    subject: Selection
    rules: tuple[Rule, ...] = ()
    place: Place = Place()
    isolates: bool = True


@dataclass(frozen=True)
class Policies:
    """``sections`` are in the order in which they are judged; ``homeless`` name no namespace and are of ``default``."""

    sections: Sequence[Section]
    plugin: Plugin | None = None
    homeless: Sequence[str] = ()

    @cached_property
    def rules(self) -> Sequence[Rule]:
        return tuple(rule for section in self.sections for rule in section.rules)

    def tiers(self, direction: Direction) -> Iterable[Sequence[tuple[int, Section]]]:
        """The sections of each tier that has any, with the number of each one's first rule."""
        for _, tier in groupby(self._numbered, lambda numbered: numbered[1].place[:2]):
            found = [(first, section) for first, section in tier if section.direction is direction]
            if found:
                yield found

    @cached_property
    def _numbered(self) -> Sequence[tuple[int, Section]]:
        firsts = np.cumsum([0, *(len(section.rules) for section in self.sections)]).tolist()
        return tuple(zip(firsts, self.sections, strict=False))


def _any_port(ports: Iterable[Port], columns: Columns, dst: Numbers, protocol: Numbers, port: Numbers) -> Mask:
    return np.asarray(np.logical_or.reduce([one.mask(columns, dst, protocol, port) for one in ports]))
