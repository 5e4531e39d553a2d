"""The ends and ports that a number of policy sets can tell apart, so that each kind of connection is judged once.

Endpoints *behave* alike if every selection of every set has all of them or none, and their named ports are the same.
A pair of behaviours is judged between two endpoints that are not the same pod, as a pod may always talk to itself. A
node, and a pod of its network, is there twice: as any other node, and as the one that the pod at the other end runs on.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from analysis.policy.endpoints import ABSENT, Columns, Endpoint, Mask, Network, Numbers, Selection
from analysis.policy.evaluate import columns_of
from analysis.policy.outside import Domain, Interval, intervals, named_outside
from analysis.policy.ports import PortClasses
from analysis.policy.rules import AllBut, NamedPort, Policies
from contract.errors import QuestionError

# Answers of selections about endpoints, of which each takes a byte.
MOST_SIGNS = 400_000_000


class SpaceTooLargeError(QuestionError):
    """What policies tell apart takes too much memory or time to judge; the work grows with the square of it."""

    def __init__(self, count: int, what: str, most: int) -> None:
        super().__init__(
            f"these policies are too many to judge every kind of connection: {count:,} {what}, at most {most:,};"
            " give fewer of them, those of one namespace for example"
        )


class Places(Columns):
    """Endpoints that stand for others, wherever these run: what selects the one selects the others."""

    def __init__(self, columns: Columns, rows: Numbers, nodes: Numbers) -> None:
        super().__init__(())
        self._columns = columns
        self._rows = rows
        self._runs_on = nodes

    def __len__(self) -> int:
        return len(self._rows)

    def of(self, selection: Selection) -> Mask:
        return np.asarray(self._columns.of(selection)[self._rows])

    def port(self, name: str, protocol: int) -> Numbers:
        return np.asarray(self._columns.port(name, protocol)[self._rows])

    @cached_property
    def pods(self) -> Mask:
        return np.asarray(self._columns.pods[self._rows])

    @cached_property
    def nodes(self) -> Mask:
        return np.asarray(self._columns.nodes[self._rows])

    @cached_property
    def node_numbers(self) -> Numbers:
        return self._runs_on

    @cached_property
    def identities(self) -> Numbers:
        """No two are the same pod."""
        return np.arange(len(self))


@dataclass(frozen=True)
class Space:
    """``endpoints`` are the cluster's, then one for each of ``blocks``, then those of history (from ``recorded`` on).

    ``columns`` are the endpoints as each of ``sets`` sees them.
    """

    sets: Sequence[Policies]
    columns: Sequence[Columns]
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
        return sorted(set(self.behaviour[self._plain.nodes].tolist()))

    @cached_property
    def _plain(self) -> Columns:
        return Columns(self.endpoints)

    @property
    def size(self) -> int:
        """How many places there are."""
        return self.behaviours + len(self.own_nodes)

    def standing(self, number: int) -> Places:
        """For one of the sets a source for each place, and then a target for each: on two nodes, but for own nodes."""
        _, first = np.unique(self.behaviour, return_index=True)
        rows = np.concatenate([first, first[list(self.own_nodes)]])
        at_home = np.arange(self.size) >= self.behaviours
        return Places(self.columns[number], np.tile(rows, 2), np.concatenate([at_home, ~at_home]).astype(np.int64))

    def places(self, rows: Numbers, others: Numbers) -> Numbers:
        """Of endpoints, with those at the other end."""
        columns = self._plain
        node = columns.node_numbers
        at_home = columns.nodes[rows] & columns.pods[others] & (node[rows] == node[others]) & (node[rows] != ABSENT)
        place = np.full(self.behaviours, ABSENT, np.int64)
        place[list(self.own_nodes)] = np.arange(self.behaviours, self.size)
        return np.where(at_home, place[self.behaviour[rows]], self.behaviour[rows])


def space_of(sets: Iterable[Policies], known: Sequence[Endpoint], history: Sequence[Endpoint] = ()) -> Space:
    every = list(sets)
    named = [named_outside(policies) for policies in every]
    found = {block for one in named for block in one.networks}
    blocks: list[Interval | Domain] = [*intervals(found, _versions(known, found))]
    blocks += [Domain(pattern) for pattern in sorted({pattern for one in named for pattern in one.domains})]
    endpoints = [*known, *(block.endpoint for block in blocks), *history]
    _refuse_too_many(every, len(endpoints))
    views = [columns_of(policies, endpoints) for policies in every]
    ports = [port for policies in every for rule in policies.rules for port in rule.ports]
    signs = [sign for policies, columns in zip(every, views, strict=True) for sign in _signs(policies, columns)]
    plain = Columns(endpoints)
    behaviour = _behaviour([plain.pods, plain.nodes, *signs], len(endpoints))
    return Space(every, views, endpoints, behaviour, blocks, len(known), PortClasses(ports, plain))


def _refuse_too_many(sets: Sequence[Policies], endpoints: int) -> None:
    signs = endpoints * sum(len(one.sections) + 2 * len(one.rules) for one in sets)
    if signs > MOST_SIGNS:
        raise SpaceTooLargeError(signs, "selections times ends", MOST_SIGNS)


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
    return (*port.ports, *port.among) if isinstance(port, AllBut) else (port,)


def _behaviour(signs: Sequence[NDArray[np.generic]], count: int) -> Numbers:
    """Numbers of equal columns of signs, in order of first appearance."""
    masks = [sign for sign in signs if sign.dtype == np.bool_]
    numbers = [sign for sign in signs if sign.dtype != np.bool_]
    packed = np.packbits(np.array(masks, np.bool_), axis=0).T
    wide = np.array(numbers, np.int64).reshape(len(numbers), count).T
    whole = np.hstack([packed, np.ascontiguousarray(wide).view(np.uint8)])
    rows: dict[bytes, int] = {}
    return np.array([rows.setdefault(row.tobytes(), len(rows)) for row in whole], np.int64)
