"""The ends and ports that a number of policy sets can tell apart, so that each kind of connection is judged once.

Endpoints *behave* alike if every selection of every set has all of them or none, and their named ports are the same.
A pair of behaviours is judged between two endpoints that are not the same pod and not a pod and its own node: what a
pod may always do is left out.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analysis.policy.endpoints import Columns, Endpoint, Numbers
from analysis.policy.evaluate import columns_of
from analysis.policy.outside import Interval, intervals, networks
from analysis.policy.ports import PortClasses
from analysis.policy.rules import AllBut, NamedPort, Policies


@dataclass(frozen=True)
class Space:
    """``endpoints`` are the cluster's, then one for each of ``blocks``, then those of history (from ``recorded`` on)."""

    endpoints: Sequence[Endpoint]
    behaviour: Numbers
    blocks: Sequence[Interval]
    known: int
    ports: PortClasses

    @property
    def recorded(self) -> int:
        return self.known + len(self.blocks)

    @property
    def size(self) -> int:
        """How many behaviours there are."""
        return int(self.behaviour.max()) + 1

    @property
    def sources(self) -> list[Endpoint]:
        """One endpoint of each behaviour."""
        _, rows = np.unique(self.behaviour, return_index=True)
        return [self.endpoints[row] for row in rows.tolist()]

    @property
    def targets(self) -> list[Endpoint]:
        """Another one of each, on another node."""
        return [replace(one, name=f"another {one.name}", node=None) for one in self.sources]


def space_of(sets: Iterable[Policies], known: Sequence[Endpoint], history: Sequence[Endpoint] = ()) -> Space:
    every = list(sets)
    found = set().union(*(networks(policies) for policies in every))
    blocks = list(intervals(found, _versions(known, found)))
    endpoints = [*known, *(block.endpoint for block in blocks), *history]
    views = [columns_of(policies, endpoints) for policies in every]
    ports = [port for policies in every for rule in policies.rules for port in rule.ports]
    signs = [sign for policies, columns in zip(every, views, strict=True) for sign in _signs(policies, columns)]
    plain = Columns(endpoints)
    behaviour = _behaviour([plain.pods, plain.nodes, *signs], len(endpoints))
    return Space(endpoints, behaviour, blocks, len(known), PortClasses(ports, plain))


def _versions(known: Sequence[Endpoint], found: Iterable[object]) -> list[int]:
    """IPv6 counts where the cluster or a policy has any."""
    six = any(":" in (one.address or "") for one in known) or any(getattr(one, "version", 4) == 6 for one in found)
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
