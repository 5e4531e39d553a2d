"""What every dialect of policy becomes.

Sections are judged in order, and in a section its rules: the first that matches decides. NetworkPolicy only ever allows,
so that its order says no more than which of several rules is named.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import numpy as np

from analysis.policy.endpoints import Columns, Mask, Numbers, Selection

MOST_PORT = 65535
# The port of an edge whose protocol has none.
NO_PORT = -1


class Direction(StrEnum):
    INGRESS = "ingress"
    EGRESS = "egress"


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
class Rule:
    """Whom it names, and on which ports: with no peers everybody, with no ports every port."""

    origin: str
    peers: tuple[Selection, ...] = ()
    ports: tuple[PortRange | NamedPort, ...] = ()

    def names(self, columns: Columns) -> Mask:
        if not self.peers:
            return np.ones(len(columns), np.bool_)
        return np.asarray(np.logical_or.reduce([columns.of(peer) for peer in self.peers]))

    def opens(self, columns: Columns, dst: Numbers, protocol: Numbers, port: Numbers) -> Mask:
        if not self.ports:
            return np.ones(len(dst), np.bool_)
        return np.asarray(np.logical_or.reduce([one.mask(columns, dst, protocol, port) for one in self.ports]))


@dataclass(frozen=True)
class Section:
    """One direction of one policy: it isolates its subject, and its rules name what is allowed all the same."""

    origin: str
    direction: Direction
    subject: Selection
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True)
class Policies:
    sections: Sequence[Section]

    @cached_property
    def rules(self) -> Sequence[Rule]:
        return tuple(rule for section in self.sections for rule in section.rules)
