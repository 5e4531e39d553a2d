"""Why an edge leaves its src, or enters its dst, or does not, in a few words."""

from collections.abc import Sequence

import numpy as np

from analysis.graph import protocol_name
from analysis.policy import words
from analysis.policy.endpoints import Columns, Endpoint, Mask
from analysis.policy.evaluate import ALWAYS, DEFAULT_DENY, UNKNOWN
from analysis.policy.rules import Action, Direction, Policies, Rule


class Reasons:
    def __init__(self, policies: Policies, columns: Columns, endpoints: Sequence[Endpoint]) -> None:
        self._policies = policies
        self._columns = columns
        self._endpoints = endpoints
        self._isolating: dict[tuple[Direction, int], str] = {}

    def leaving(self, verdict: int, src: int, protocol: int) -> str:
        return self._told(Direction.EGRESS, verdict, src, protocol)

    def entering(self, verdict: int, dst: int, protocol: int) -> str:
        return self._told(Direction.INGRESS, verdict, dst, protocol)

    def open(self, *verdicts: int) -> str:
        rules = [self._policies.rules[verdict] for verdict in verdicts if verdict >= 0]
        if any(rule.unsure for rule in rules):
            return "it hangs on what no flow record tells"
        if UNKNOWN in verdicts:
            return "no policy can name its protocol"
        return "an ipBlock names a pod by its address"

    def _told(self, direction: Direction, verdict: int, endpoint: int, protocol: int) -> str:
        if verdict >= 0:
            return _rule(self._policies.rules[verdict])
        if verdict == DEFAULT_DENY:
            return f"denied: no rule of {self._isolators(direction, endpoint)} names it"
        if verdict == UNKNOWN:
            return f"open: {self._isolators(direction, endpoint)} cannot name {protocol_name(protocol, None)}"
        if verdict == ALWAYS:
            return "allowed: a pod always reaches itself, and its own node reaches it"
        is_pod = self._endpoints[endpoint].kind == "pod"
        return f"allowed: nothing isolates its {direction}" if is_pod else "allowed: policies are about pods only"

    def _isolators(self, direction: Direction, endpoint: int) -> str:
        """The policies that isolate this pod."""
        key = (direction, endpoint)
        if key not in self._isolating:
            self._isolating[key] = words.listed(
                section.origin.partition(" ")[0]
                for section in self._policies.sections
                if section.direction is direction and section.isolates and self._columns.of(section.subject)[endpoint]
            )
        return self._isolating[key]


def _rule(rule: Rule) -> str:
    name = short(rule.origin)
    if rule.unsure:
        return f"open: {name} hangs on {rule.unsure}"
    return f"{'denied' if rule.action is Action.DENY else 'allowed'} by {name}"


def short(origin: str) -> str:
    """Without the file it is in."""
    return origin.partition(" in ")[0]


def unisolated(policies: Policies, columns: Columns, direction: Direction) -> Mask:
    """Pods that no policy isolates in this direction."""
    isolated = [columns.of(one.subject) for one in policies.sections if one.direction is direction and one.isolates]
    return np.asarray(columns.pods & ~np.logical_or.reduce([np.zeros(len(columns), np.bool_), *isolated]))
