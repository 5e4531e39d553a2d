"""What a set of policies allows that history never used."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from analysis.policy import words
from analysis.policy.endpoints import Columns, Endpoint, Mask, Numbers
from analysis.policy.evaluate import Edges
from analysis.policy.rules import Action, Direction, Policies, Port, Rule, Section

UNUSED = pa.schema(
    [
        ("rule", pa.string()),
        ("direction", pa.string()),
        ("selects", pa.string()),
        ("connections", pa.int64()),
        ("unused_peers", pa.string()),
        ("unused_ports", pa.string()),
    ]
)


@dataclass(frozen=True)
class Seen:
    """The edges of history, and the endpoints of history and of the cluster as it is."""

    endpoints: Sequence[Endpoint]
    columns: Columns
    edges: Edges
    connections: Numbers


def unused(policies: Policies, seen: Seen) -> pa.Table:
    """One row for each rule of which something was never used."""
    rows = [row for section in policies.sections for row in _section(section, seen)]
    return pa.Table.from_pylist(rows, schema=UNUSED)


def _section(section: Section, seen: Seen) -> Iterator[dict[str, object]]:
    subject = seen.columns.of(section.subject)
    about, peer = (seen.edges.dst, seen.edges.src)
    if section.direction is Direction.EGRESS:
        about, peer = peer, about
    touched = np.flatnonzero(subject[about])
    for origin, parts in _written(section).items():
        met = [touched[rule.meets(seen.columns, about[touched], peer[touched])] for rule in parts]
        used = np.unique(np.concatenate([at[_opened(rule, seen, at)] for rule, at in zip(parts, met, strict=True)]))
        peers = _unused_peers(parts, seen, peer[used])
        ports = _unused_ports(parts, seen, met)
        if peers or ports or not len(used):
            yield {
                "rule": origin,
                "direction": section.direction.value,
                "selects": words.listed(_names(seen, np.flatnonzero(subject))) or "no pod that is known",
                "connections": int(seen.connections[used].sum()),
                "unused_peers": peers,
                "unused_ports": ports,
            }


def _written(section: Section) -> dict[str, list[Rule]]:
    """The rules that allow, as they were written: a reader may have made several of one."""
    found: dict[str, list[Rule]] = {}
    for rule in section.rules:
        if rule.action is Action.ALLOW and not rule.unsure:
            found.setdefault(rule.origin, []).append(rule)
    return found


def _opened(rule: Rule, seen: Seen, edges: Numbers) -> Mask:
    return rule.opens(seen.columns, seen.edges.dst[edges], seen.edges.protocol[edges], seen.edges.port[edges])


def _unused_peers(parts: Sequence[Rule], seen: Seen, users: Numbers) -> str | None:
    """Pods that the rule names and that never used it; of addresses only whether anybody did."""
    if not all(rule.peers for rule in parts):
        return None if len(users) else "everybody"
    used = _names(seen, users)
    named = np.logical_or.reduce([rule.names(seen.columns) for rule in parts])
    pods = _names(seen, np.flatnonzero(named & seen.columns.pods))
    if pods - used:
        return words.listed(pods - used)
    return None if used else "nobody that is known"


def _unused_ports(parts: Sequence[Rule], seen: Seen, met: Sequence[Numbers]) -> str | None:
    """``met`` are the edges whose ends each part is about."""
    used: dict[Port, bool] = {}
    for rule, at in zip(parts, met, strict=True):
        dst, protocol, port = (column[at] for column in (seen.edges.dst, seen.edges.protocol, seen.edges.port))
        for one in rule.ports:
            used[one] = used.get(one, False) or bool(one.mask(seen.columns, dst, protocol, port).any())
    return ", ".join(words.port(one) for one, is_used in used.items() if not is_used) or None


def _names(seen: Seen, rows: Numbers) -> set[str]:
    return {words.whom(seen.endpoints[row]) for row in np.unique(rows).tolist()}
