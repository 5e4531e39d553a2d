"""Rules × edges → verdicts, all edges at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.policy.endpoints import ABSENT, PROTOCOLS, Columns, Endpoint, Mask, Numbers
from analysis.policy.rules import Direction, Policies, Section
from analysis.policy.selectors import Block

NOT_ISOLATED = -1
DEFAULT_DENY = -2
# No policy can forbid it: a pod to itself, a pod and the node it runs on.
ALWAYS = -3
# No policy can name it, and somebody is isolated: what happens is up to the network plugin.
UNKNOWN = -4


class Edges(NamedTuple):
    """``src`` and ``dst`` are indexes into the endpoints; ``port`` is the dst pod's own, -1 where there is none."""

    src: NDArray[Any]
    dst: NDArray[Any]
    protocol: NDArray[Any]
    port: NDArray[Any]


class Verdicts(NamedTuple):
    """``egress`` and ``ingress`` are an index into the rules, or one of the constants above.

    An unknown edge is neither allowed nor denied.
    """

    allowed: NDArray[np.bool_]
    egress: NDArray[np.int64]
    ingress: NDArray[np.int64]

    @property
    def denied(self) -> Mask:
        return np.asarray((self.egress == DEFAULT_DENY) | (self.ingress == DEFAULT_DENY))

    @property
    def unknown(self) -> Mask:
        return ~self.allowed & ~self.denied


def evaluate(policies: Policies, endpoints: Sequence[Endpoint], edges: Edges) -> Verdicts:
    columns = Columns(endpoints)
    whole = Edges(*(np.asarray(column, np.int64) for column in edges))
    egress = _decided(policies, Direction.EGRESS, columns, whole)
    ingress = _decided(policies, Direction.INGRESS, columns, whole)
    allows = [(side != DEFAULT_DENY) & (side != UNKNOWN) for side in (egress, ingress)]
    return Verdicts(allows[0] & allows[1], egress, ingress)


def up_to_plugin(policies: Policies, endpoints: Sequence[Endpoint], edges: Edges, verdicts: Verdicts) -> Mask:
    """Edges whose answer the specification leaves open: unknown ones, and pods that an ipBlock alone allows.

    An ipBlock is meant for addresses outside; whether it matches a pod's depends on where the plugin translates.
    """
    candidates = np.flatnonzero(_by_block(policies, verdicts.egress) | _by_block(policies, verdicts.ingress))
    without = [replace(one, address=None) if one.kind == "pod" and not one.host_network else one for one in endpoints]
    found = verdicts.unknown
    found[candidates] |= (
        verdicts.allowed[candidates] & ~evaluate(policies, without, Edges(*(c[candidates] for c in edges))).allowed
    )
    return found


def _by_block(policies: Policies, side: Numbers) -> Mask:
    """Edges that were decided by a rule with an ipBlock."""
    rules = [number for number, rule in enumerate(policies.rules) if any(isinstance(one, Block) for one in rule.peers)]
    return np.isin(side, rules)


def _decided(policies: Policies, direction: Direction, columns: Columns, edges: Edges) -> Numbers:
    """For each edge the first rule of this direction that names it, or why there is none."""
    own, other = (edges.src, edges.dst) if direction is Direction.EGRESS else (edges.dst, edges.src)
    decided = np.full(len(own), NOT_ISOLATED, np.int64)
    for section, first in _sections(policies, direction):
        # Most policies are about few pods: their rules look at the edges of those alone.
        at = np.flatnonzero(columns.of(section.subject)[own])
        decided[at[decided[at] == NOT_ISOLATED]] = DEFAULT_DENY
        for number, rule in enumerate(section.rules, first):
            at = at[decided[at] == DEFAULT_DENY]
            near = at[rule.names(columns)[other[at]]]
            decided[near[rule.opens(columns, edges.dst[near], edges.protocol[near], edges.port[near])]] = number
    nameable = np.isin(edges.protocol, list(PROTOCOLS.values()))
    decided[~nameable & (decided != NOT_ISOLATED)] = UNKNOWN
    decided[_unforbidden(columns, own, other)] = ALWAYS
    return decided


def _sections(policies: Policies, direction: Direction) -> Iterator[tuple[Section, int]]:
    """Each section of a direction, and the number of its first rule."""
    first = 0
    for section in policies.sections:
        if section.direction is direction:
            yield section, first
        first += len(section.rules)


def _unforbidden(columns: Columns, own: Numbers, other: Numbers) -> Mask:
    itself = columns.pods[own] & (columns.identities[own] == columns.identities[other])
    node = columns.node_numbers[own]
    at_home = columns.pods[own] & columns.nodes[other] & (node == columns.node_numbers[other]) & (node != ABSENT)
    return np.asarray(itself | at_home)
