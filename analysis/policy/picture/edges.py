"""History under a set of policies, as it is drawn: each edge between workloads, what becomes of it, and why."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import pyarrow as pa

from analysis.graph import EDGES
from analysis.policy.endpoints import Columns
from analysis.policy.evaluate import DEFAULT_DENY, UNKNOWN, evaluate, up_to_plugin
from analysis.policy.history import SIDES, History
from analysis.policy.picture.ends import End, Ends, Scope, named
from analysis.policy.reasons import Asked, Reasons
from analysis.policy.rules import NO_PORT, Direction, Policies


class State(StrEnum):
    ALLOWED = "allowed"
    DENIED = "denied"
    LEFT_OUT = "left-out"
    UNDECIDED = "undecided"
    UNUSED = "unused"


# ``ports`` is told of edges that nobody used. ``egress`` and ``ingress`` are verdicts, ``leaving`` and ``entering`` say them,
# ``near`` which rules almost allow what is denied.
JUDGED = pa.schema(
    [
        *EDGES,
        ("state", pa.string()),
        ("ports", pa.string()),
        ("egress", pa.int64()),
        ("ingress", pa.int64()),
        ("leaving", pa.string()),
        ("entering", pa.string()),
        ("near", pa.list_(pa.string())),
        ("why", pa.string()),
    ]
)
KEY = ("src", "dst", "protocol", "port", "egress", "ingress", "allowed", "denied")
AGGREGATES = [
    ("connections", "sum"),
    ("failed", "sum"),
    ("bytes", "sum"),
    ("first_seen", "min"),
    ("last_seen", "max"),
    ("src_endpoint", "min"),
    ("dst_endpoint", "min"),
]
SERVICE = "which pod was behind the Service is not known"
BY_ADDRESS = "an ipBlock names a pod by its address"
UNANSWERED = "never answered, or always refused"

Row = dict[str, Any]
# Why an edge was not learned, by its ends, protocol and port.
LeftOut = Mapping[tuple[End, End, int, int], str]


@dataclass(frozen=True)
class Judging:
    """What is judged by what: the endpoints of history and of the cluster, and the answers."""

    policies: Policies
    history: History
    ends: Ends
    columns: Columns
    scope: Scope

    def rows(self, left_out: LeftOut) -> Iterator[Row]:
        """Of the schema ``JUDGED``; pods of a workload that have different verdicts are different rows."""
        groups = self._groups()
        answered = _answered(groups)
        reasons = Reasons(self.policies, self.columns)
        for group in groups:
            src, dst = (self.ends.ends[group[side]] for side in SIDES)
            told = left_out.get((src, dst, group["protocol"], group["port"]), "")
            state = _state(group, bool(told) or _edge(group) not in answered)
            why = told or (UNANSWERED if state is State.LEFT_OUT else "")
            asked = Asked(group["src_endpoint"], group["dst_endpoint"], group["protocol"], group["port"])
            yield {
                **ends_of(src, dst),
                **{name: group[name] for name in EDGES.names if name in group},
                "port": None if group["port"] == NO_PORT else group["port"],
                "state": state,
                "egress": group["egress"],
                "ingress": group["ingress"],
                "leaving": reasons.told(Direction.EGRESS, group["egress"], asked),
                "entering": reasons.told(Direction.INGRESS, group["ingress"], asked),
                "near": _near(reasons, group, asked) if state is State.DENIED else [],
                "why": why or (self._open(group) if state is State.UNDECIDED else ""),
            }
        yield from _unresolved(self.history.unresolved, self.scope)

    def _open(self, group: Row) -> str:
        sides = group["egress"], group["ingress"]
        if UNKNOWN in sides or any(self.policies.rules[side].unsure for side in sides if side >= 0):
            return ""
        return BY_ADDRESS

    def _groups(self) -> list[Row]:
        edges, rows = self.history.edges, self.history.rows
        verdicts = evaluate(self.policies, self.ends.endpoints, edges)
        open_to_plugin = up_to_plugin(self.policies, self.columns, edges, verdicts)
        inside = self.ends.inside(self.scope)
        near = np.flatnonzero(inside[edges.src] | inside[edges.dst])
        columns = {
            "src": self.ends.of[edges.src[near]],
            "dst": self.ends.of[edges.dst[near]],
            "protocol": edges.protocol[near],
            "port": edges.port[near],
            "egress": verdicts.egress[near],
            "ingress": verdicts.ingress[near],
            "allowed": (verdicts.allowed & ~open_to_plugin)[near],
            "denied": verdicts.denied[near],
            "src_endpoint": edges.src[near],
            "dst_endpoint": edges.dst[near],
        }
        counted = rows.select([name for name, _ in AGGREGATES if name in rows.schema.names]).take(pa.array(near))
        for name, values in columns.items():
            counted = counted.append_column(name, pa.array(values))
        groups = counted.group_by(list(KEY), use_threads=False).aggregate(AGGREGATES)
        return _listed(groups, AGGREGATES)


def _listed(groups: pa.Table, aggregates: Iterable[tuple[str, str]]) -> list[Row]:
    plain = {f"{name}_{how}": name for name, how in aggregates}
    rows: list[Row] = groups.rename_columns([plain.get(name, name) for name in groups.schema.names]).to_pylist()
    return rows


def _edge(group: Row) -> tuple[int, ...]:
    return group["src"], group["dst"], group["protocol"], group["port"]


def _near(reasons: Reasons, group: Row, asked: Asked) -> list[str]:
    """Rules that almost allow it."""
    sides = (Direction.EGRESS, group["egress"]), (Direction.INGRESS, group["ingress"])
    return [text for side, verdict in sides if verdict == DEFAULT_DENY for text in reasons.near(side, asked)]


def _answered(groups: Iterable[Row]) -> set[tuple[int, ...]]:
    """Edges between workloads of which something that is denied worked."""
    return {_edge(group) for group in groups if group["denied"] and group["failed"] < group["connections"]}


def _state(group: Row, dispensable: bool) -> State:
    if group["denied"]:
        return State.LEFT_OUT if dispensable else State.DENIED
    return State.ALLOWED if group["allowed"] else State.UNDECIDED


def ends_of(src: End, dst: End) -> Row:
    pairs = zip(SIDES, (src, dst), strict=True)
    return {f"{side}_{name}": value for side, end in pairs for name, value in end._asdict().items()}


def _unresolved(rows: pa.Table, scope: Scope) -> Iterator[Row]:
    for row in rows.to_pylist():
        src, dst = (named(row, side) for side in SIDES)
        if scope.holds(src) or scope.holds(dst):
            counts = {name: row[name] for name in EDGES.names if name in row}
            yield {**ends_of(src, dst), **counts, "state": State.UNDECIDED, "why": SERVICE}
