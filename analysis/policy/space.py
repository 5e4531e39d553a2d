"""The ends and ports that a number of policy sets can tell apart, so that each kind of connection is judged once.

Endpoints *behave* alike if every selection of every set has all of them or none, and their named ports are the same.
A pair of behaviours is judged between two endpoints that are not the same pod, as a pod may always talk to itself. A
node, and a pod of its network, is there twice: as any other node, and as the one that the pod at the other end runs on.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from analysis.policy.endpoints import ABSENT, Columns, Endpoint, Network, Numbers
from analysis.policy.evaluate import columns_of
from analysis.policy.outside import Domain, Interval, intervals, named_outside
from analysis.policy.ports import PortClasses
from analysis.policy.rules import AllBut, NamedPort, Policies

# Where the ends of a pair run: on two nodes, unless one end is the node of the other.
SOURCE, TARGET = "node of src", "node of dst"


@dataclass(frozen=True)
class Space:
    """``endpoints`` are the cluster's, then one for each of ``blocks``, then those of history (from ``recorded`` on)."""

    endpoints: Sequence[Endpoint]
    behaviour: Numbers
    blocks: Sequence[Interval | Domain]
    known: int
    ports: PortClasses

    @property
    def recorded(self) -> int:
        return self.known + len(self.blocks)

    @property
    def behaviours(self) -> int:
        return int(self.behaviour.max()) + 1

    @cached_property
    def own_nodes(self) -> Sequence[int]:
        """The behaviours of nodes; the place of each as a pod's own node is behind all behaviours."""
        return sorted(set(self.behaviour[Columns(self.endpoints).nodes].tolist()))

    @property
    def size(self) -> int:
        """How many places there are."""
        return self.behaviours + len(self.own_nodes)

    @property
    def sources(self) -> list[Endpoint]:
        """One endpoint for each place."""
        return self._standing(SOURCE, TARGET)

    @property
    def targets(self) -> list[Endpoint]:
        return self._standing(TARGET, SOURCE)

    def _standing(self, here: str, there: str) -> list[Endpoint]:
        _, rows = np.unique(self.behaviour, return_index=True)
        every = [self.endpoints[row] for row in rows.tolist()]
        found = [*(_on(one, here) for one in every), *(_on(every[number], there) for number in self.own_nodes)]
        return [replace(one, name=f"pod of {here}") if one.kind == "pod" else one for one in found]

    def places(self, rows: Numbers, others: Numbers) -> Numbers:
        """Of endpoints, with those at the other end."""
        columns = Columns(self.endpoints)
        node = columns.node_numbers
        at_home = columns.nodes[rows] & columns.pods[others] & (node[rows] == node[others]) & (node[rows] != ABSENT)
        place = np.full(self.behaviours, ABSENT, np.int64)
        place[list(self.own_nodes)] = np.arange(self.behaviours, self.size)
        return np.where(at_home, place[self.behaviour[rows]], self.behaviour[rows])


def _on(one: Endpoint, node: str) -> Endpoint:
    return replace(one, name=node if one.kind == "node" else one.name, node=node)


def space_of(sets: Iterable[Policies], known: Sequence[Endpoint], history: Sequence[Endpoint] = ()) -> Space:
    every = list(sets)
    named = [named_outside(policies) for policies in every]
    found = {block for one in named for block in one.networks}
    blocks: list[Interval | Domain] = [*intervals(found, _versions(known, found))]
    blocks += [Domain(pattern) for pattern in sorted({pattern for one in named for pattern in one.domains})]
    endpoints = [*known, *(block.endpoint for block in blocks), *history]
    views = [columns_of(policies, endpoints) for policies in every]
    ports = [port for policies in every for rule in policies.rules for port in rule.ports]
    signs = [sign for policies, columns in zip(every, views, strict=True) for sign in _signs(policies, columns)]
    plain = Columns(endpoints)
    behaviour = _behaviour([plain.pods, plain.nodes, *signs], len(endpoints))
    return Space(endpoints, behaviour, blocks, len(known), PortClasses(ports, plain))


def _versions(known: Sequence[Endpoint], found: Iterable[Network]) -> list[int]:
    """IPv6 counts where the cluster or a policy has any."""
    six = any(":" in (one.address or "") for one in known) or any(block.version == 6 for block in found)
    return [4, 6] if six else [4]


def _signs(policies: Policies, columns: Columns) -> Iterable[NDArray[np.generic]]:
    """For each selection and each named port of the set, what it says of every endpoint."""
    for section in policies.sections:
        yield columns.of(section.subject)
        for rule in section.rules:
            yield rule.names(columns)
            yield columns.of(rule.own)
    for name, protocol in sorted(_named(policies)):
        yield columns.port(name, protocol)


def _named(policies: Policies) -> set[tuple[str, int]]:
    ports = {one for rule in policies.rules for port in rule.ports for one in _inner(port)}
    return {(one.name, one.protocol) for one in ports if isinstance(one, NamedPort)}


def _inner(port: object) -> Iterable[object]:
    return port.ports if isinstance(port, AllBut) else (port,)


def _behaviour(signs: Sequence[NDArray[np.generic]], count: int) -> Numbers:
    """Numbers of equal columns of signs, in order of first appearance."""
    masks = [sign for sign in signs if sign.dtype == np.bool_]
    numbers = [sign for sign in signs if sign.dtype != np.bool_]
    packed = np.packbits(np.array(masks, np.bool_), axis=0).T
    wide = np.array(numbers, np.int64).reshape(len(numbers), count).T
    whole = np.hstack([packed, np.ascontiguousarray(wide).view(np.uint8)])
    rows: dict[bytes, int] = {}
    return np.array([rows.setdefault(row.tobytes(), len(rows)) for row in whole], np.int64)
