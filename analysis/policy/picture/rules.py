"""The rules of a set of policies as a table, each with what history it decides."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from analysis.policy import words
from analysis.policy.endpoints import Columns, Mask, Selection
from analysis.policy.picture.blocks import blocks_in
from analysis.policy.picture.ends import Ends, Scope
from analysis.policy.rules import Direction, Policies, Rule, Section
from analysis.policy.selectors import Block

# ``rule`` is its number among all rules, ``name`` its origin without what all have in common; ``of`` are the ids of the
# nodes that it is about.
RULES = pa.schema(
    [
        ("rule", pa.int64()),
        ("origin", pa.string()),
        ("name", pa.string()),
        ("direction", pa.string()),
        ("action", pa.string()),
        ("about", pa.string()),
        ("peers", pa.string()),
        ("ports", pa.string()),
        ("edges", pa.int64()),
        ("connections", pa.int64()),
        ("last_seen", pa.timestamp("us", tz="UTC")),
        ("of", pa.list_(pa.string())),
    ]
)
EVERYBODY, NOBODY = "everybody", "nobody that is known"


def rule_table(policies: Policies, ends: Ends, columns: Columns, scope: Scope, judged: pa.Table) -> pa.Table:
    """Rules that are about somebody of the scope, or decide something of it; ``judged`` are its edges."""
    used = _Used(judged)
    inside = ends.inside(scope)
    rows = [
        _row(number, section, rule, ends, columns) | {"name": _name(rule, scope)} | used.by(number, section.direction)
        for number, section, rule in _numbered(policies)
        if (columns.of(section.subject) & columns.of(rule.own) & inside).any() or used.anything(number)
    ]
    return pa.Table.from_pylist(rows, schema=RULES)


def _numbered(policies: Policies) -> Iterator[tuple[int, Section, Rule]]:
    rules = ((section, rule) for section in policies.sections for rule in section.rules)
    return ((number, section, rule) for number, (section, rule) in enumerate(rules))


def _row(number: int, section: Section, rule: Rule, ends: Ends, columns: Columns) -> dict[str, Any]:
    own = columns.of(section.subject) & columns.of(rule.own)
    return {
        "rule": number,
        "origin": rule.origin,
        "direction": section.direction.value,
        "action": rule.action.value,
        "about": _pods(own, ends, columns) or NOBODY,
        "peers": _peers(rule, ends, columns),
        "ports": ", ".join(words.port(one) for one in rule.ports) or "every port",
        "of": sorted({ends.ends[end].id for end in np.unique(ends.of[own & columns.pods]).tolist()}),
    }


def _name(rule: Rule, scope: Scope) -> str:
    """The kind of the policy can be seen from the others of its set."""
    return rule.origin.partition("/")[2].removeprefix(f"{scope.namespace}/") or rule.origin


def _pods(mask: Mask, ends: Ends, columns: Columns) -> str:
    return words.listed(ends.names(np.flatnonzero(mask & columns.pods)))


def _peers(rule: Rule, ends: Ends, columns: Columns) -> str:
    if not rule.peers:
        return EVERYBODY
    return ", ".join(dict.fromkeys(_peer(peer, ends, columns) for peer in rule.peers))


def _peer(peer: Selection, ends: Ends, columns: Columns) -> str:
    blocks = dict.fromkeys(map(_block, blocks_in(peer)))
    if not blocks:
        return words.listed(ends.names(np.flatnonzero(columns.of(peer)))) or NOBODY
    domains = filter(None, (ends.endpoints[row].domain for row in np.flatnonzero(columns.of(peer))))
    names, networks = words.listed(domains), words.listed(blocks)
    return f"{networks} ({names})" if names else networks


def _block(one: Block) -> str:
    return str(one.network) + (f" but {words.listed(map(str, one.excepted))}" if one.excepted else "")


class _Used:
    """What each rule decides of the edges."""

    def __init__(self, judged: pa.Table) -> None:
        self._sides = {
            Direction.EGRESS: np.asarray(judged["egress"].fill_null(-1)),
            Direction.INGRESS: np.asarray(judged["ingress"].fill_null(-1)),
        }
        self._judged = judged

    def anything(self, rule: int) -> bool:
        return any(bool((decided == rule).any()) for decided in self._sides.values())

    def by(self, rule: int, direction: Direction) -> dict[str, Any]:
        rows = self._judged.filter(pa.array(self._sides[direction] == rule)).select(["connections", "last_seen"])
        seen = [row for row in rows.to_pylist() if row["connections"]]
        return {
            "edges": len(seen),
            "connections": sum(row["connections"] for row in seen),
            "last_seen": max((row["last_seen"] for row in seen), default=None),
        }
