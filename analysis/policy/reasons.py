"""Why one connection is allowed or not, direction by direction, in words."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from analysis.policy import words
from analysis.policy.endpoints import Columns, Endpoint
from analysis.policy.evaluate import ALWAYS, DEFAULT_DENY, NOT_ISOLATED, UNKNOWN
from analysis.policy.rules import Action, Direction, Policies, Rule, Section

MOST_NEAR = 5
VERBS = {Action.ALLOW: "allowed by", Action.DENY: "denied by", Action.PASS: "passed on by"}


class Asked(NamedTuple):
    """One connection, its ends by their rows."""

    src: int
    dst: int
    protocol: int
    port: int

    def ends(self, direction: Direction) -> tuple[int, int]:
        """Whom the direction is about, and its peer."""
        return (self.src, self.dst) if direction is Direction.EGRESS else (self.dst, self.src)


class Reasons:
    def __init__(self, policies: Policies, columns: Columns) -> None:
        self._policies = policies
        self._columns = columns

    def told(self, direction: Direction, decided: int, asked: Asked) -> str:
        if decided >= 0:
            rule = self._policies.rules[decided]
            if rule.unsure:
                return f"not decided: {rule.origin} hangs on {rule.unsure}, which no flow record tells"
            return f"{VERBS[rule.action]} {rule.origin}"
        isolating = words.listed(_policy(section) for section in self._isolating(direction, asked))
        return {
            NOT_ISOLATED: "allowed: no policy isolates it",
            ALWAYS: "always allowed: a pod to itself, or a pod and the node it runs on",
            DEFAULT_DENY: f"denied: isolated by {isolating}, and no rule of theirs names it",
            UNKNOWN: f"up to the network plugin: isolated by {isolating}, and no policy can name the protocol",
        }.get(decided, f"not decided: isolated by {isolating}")

    def near(self, direction: Direction, asked: Asked) -> list[str]:
        """Rules that name the peer but not the port, then such that name the port but not the peer."""
        found = [miss for section in self._about(direction, asked) for miss in self._misses(section, asked)]
        return [text for _, text in sorted(found, key=lambda miss: miss[0])][:MOST_NEAR]

    def _misses(self, section: Section, asked: Asked) -> Iterator[tuple[int, str]]:
        own, peer = asked.ends(section.direction)
        for rule in section.rules:
            if rule.action is Action.ALLOW and self._columns.of(rule.own)[own]:
                named, opened = bool(rule.names(self._columns)[peer]), self._opened(rule, asked)
                if named and not opened:
                    ports = ", ".join(map(words.port, rule.ports))
                    yield 0, f"{rule.origin} names the peer, but {ports} only"
                if opened and not named:
                    yield 1, f"{rule.origin} opens the port, but not to this peer"

    def _opened(self, rule: Rule, asked: Asked) -> bool:
        dst, protocol, port = (np.array([value]) for value in asked[1:])
        return bool(rule.opens(self._columns, dst, protocol, port)[0])

    def _about(self, direction: Direction, asked: Asked) -> Iterator[Section]:
        own, _ = asked.ends(direction)
        for section in self._policies.sections:
            if section.direction is direction and self._columns.of(section.subject)[own]:
                yield section

    def _isolating(self, direction: Direction, asked: Asked) -> Iterator[Section]:
        return (section for section in self._about(direction, asked) if section.isolates)


def _policy(section: Section) -> str:
    return section.origin.partition(" ")[0]


def pod(one: Endpoint) -> str:
    """One of several pods of a workload, by its own name."""
    return f"{one.namespace}/{one.name}" if one.namespace else one.domain or one.name


def named(pairs: Iterable[tuple[Endpoint, Endpoint]]) -> str:
    return words.listed(f"{pod(src)} → {pod(dst)}" for src, dst in pairs)
