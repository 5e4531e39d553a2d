"""Rules × edges → verdicts, all edges at a time."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.policy.endpoints import ABSENT, PROTOCOLS, Columns, Endpoint, Mask, Numbers
from analysis.policy.rules import Action, Direction, Plugin, Policies, Rule, Section
from analysis.policy.selectors import Block

NOT_ISOLATED = -1
DEFAULT_DENY = -2
# No policy can forbid it: a pod to itself, a pod and the node it runs on.
ALWAYS = -3
# No policy can name it, and somebody is isolated: what happens is up to the network plugin.
UNKNOWN = -4
# While a tier is judged: denied unless one of its rules says otherwise.
_DENIED_HERE = -5


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

    allowed: Mask
    denied: Mask
    egress: Numbers
    ingress: Numbers

    @property
    def unknown(self) -> Mask:
        return ~self.allowed & ~self.denied


def evaluate(policies: Policies, endpoints: Sequence[Endpoint], edges: Edges) -> Verdicts:
    return evaluate_columns(policies, columns_of(policies, endpoints), edges)


def columns_of(policies: Policies, endpoints: Sequence[Endpoint]) -> Columns:
    """The endpoints as the selections of these policies see them."""
    return seen_by(policies, Columns(endpoints))


def evaluate_columns(policies: Policies, columns: Columns, edges: Edges) -> Verdicts:
    """``columns`` as ``seen_by`` gives them."""
    whole = Edges(*(np.asarray(column, np.int64) for column in edges))
    egress = _decided(policies, Direction.EGRESS, columns, whole)
    ingress = _decided(policies, Direction.INGRESS, columns, whole)
    denies = _rules(policies, lambda rule: rule.action is Action.DENY and not rule.unsure)
    unknown = [UNKNOWN, *_rules(policies, lambda rule: bool(rule.unsure))]
    denied = np.isin(egress, [DEFAULT_DENY, *denies]) | np.isin(ingress, [DEFAULT_DENY, *denies])
    return Verdicts(~denied & ~np.isin(egress, unknown) & ~np.isin(ingress, unknown), denied, egress, ingress)


def untold(policies: Policies, verdicts: Verdicts) -> Mask:
    """Unknown edges that reached a rule which hangs on what no flow record tells."""
    rules = _rules(policies, lambda rule: bool(rule.unsure))
    return verdicts.unknown & (np.isin(verdicts.egress, rules) | np.isin(verdicts.ingress, rules))


def up_to_plugin(policies: Policies, columns: Columns, edges: Edges, verdicts: Verdicts) -> Mask:
    """Edges whose answer the specification leaves open: unknown ones, and pods that an ipBlock alone allows.

    An ipBlock is meant for addresses outside; whether it matches a pod's depends on where the plugin translates.
    """
    found = verdicts.unknown
    if policies.plugin is not None:
        return found
    candidates = np.flatnonzero(_by_block(policies, verdicts.egress) | _by_block(policies, verdicts.ingress))
    some = Edges(*(column[candidates] for column in edges))
    without = evaluate_columns(policies, columns.hiding(columns.pods), some)
    found[candidates] |= verdicts.allowed[candidates] & ~without.allowed
    return found


def seen_by(policies: Policies, columns: Columns) -> Columns:
    """Cilium knows pods and nodes by identity: no CIDR is ever theirs (docs.cilium.io, *Layer 3 Policies*, CIDR Based)."""
    return columns.hiding(columns.pods | columns.nodes) if policies.plugin is Plugin.CILIUM else columns


def _by_block(policies: Policies, side: Numbers) -> Mask:
    """Edges that were decided by a rule with an ipBlock."""
    return np.isin(side, _rules(policies, lambda rule: any(isinstance(one, Block) for one in rule.peers)))


def _rules(policies: Policies, wanted: Callable[[Rule], bool]) -> Sequence[int]:
    return [number for number, rule in enumerate(policies.rules) if wanted(rule)]


def _decided(policies: Policies, direction: Direction, columns: Columns, edges: Edges) -> Numbers:
    """For each edge the first rule of this direction that names it, or why there is none."""
    own, other = (edges.src, edges.dst) if direction is Direction.EGRESS else (edges.dst, edges.src)
    decided = np.full(len(own), NOT_ISOLATED, np.int64)
    passes = _rules(policies, lambda rule: rule.action is Action.PASS and not rule.unsure)
    for tier in policies.tiers(direction):
        for first, section in tier:
            _judge(section, first, columns, edges, (own, other), decided)
        decided[np.isin(decided, passes)] = NOT_ISOLATED
        # What a tier denies is decided; what no section of it is about goes on to the next.
        decided[decided == _DENIED_HERE] = DEFAULT_DENY
    if policies.plugin is None:
        nameable = np.isin(edges.protocol, list(PROTOCOLS.values()))
        decided[~nameable & (decided != NOT_ISOLATED)] = UNKNOWN
    decided[_unforbidden(policies, direction, columns, (own, other), decided)] = ALWAYS
    return decided


def _judge(
    section: Section, first: int, columns: Columns, edges: Edges, ends: tuple[Numbers, Numbers], decided: Numbers
) -> None:
    """Most policies are about few pods: their rules look at the edges of those alone."""
    own, other = ends
    at = np.flatnonzero(columns.of(section.subject)[own])
    if section.isolates:
        decided[at[decided[at] == NOT_ISOLATED]] = _DENIED_HERE
    for number, rule in enumerate(section.rules, first):
        at = at[(decided[at] == _DENIED_HERE) | (decided[at] == NOT_ISOLATED)]
        near = at[rule.meets(columns, own[at], other[at])]
        decided[near[rule.opens(columns, edges.dst[near], edges.protocol[near], edges.port[near])]] = number


def _unforbidden(
    policies: Policies, direction: Direction, columns: Columns, ends: tuple[Numbers, Numbers], decided: Numbers
) -> Mask:
    """Calico and Cilium let a node reach its pods, but not pods their node; a rule of Cilium's may deny it."""
    own, other = ends
    itself = columns.pods[own] & (columns.identities[own] == columns.identities[other])
    if policies.plugin is not None and direction is Direction.EGRESS:
        return np.asarray(itself)
    node = columns.node_numbers[own]
    at_home = columns.pods[own] & columns.nodes[other] & (node == columns.node_numbers[other]) & (node != ABSENT)
    if policies.plugin is Plugin.CILIUM:
        at_home &= ~np.isin(decided, _rules(policies, lambda rule: rule.action is Action.DENY))
    return np.asarray(itself | at_home)
