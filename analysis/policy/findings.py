"""The edges of history that a set of policies does not plainly allow, workload by workload, with the reason."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from itertools import chain, groupby

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analysis.graph import protocol_name
from analysis.policy import words
from analysis.policy.endpoints import Columns, Mask, Numbers
from analysis.policy.evaluate import DEFAULT_DENY, Edges, Verdicts, evaluate_columns, untold
from analysis.policy.history import History
from analysis.policy.rhythm import rhythms
from analysis.policy.rules import Action, Direction, Policies, Section


class Finding(StrEnum):
    DENIED = "denied"
    DENIED_FAILED = "denied, never answered"
    UNTOLD = "not told by flows"
    UNDECIDED = "up to the plugin"
    UNRESOLVED = "pod unknown"


TIME = pa.timestamp("us", tz="UTC")
END = ("kind", "namespace", "workload_kind", "name")
KEY = pa.schema(
    [(f"{side}_{name}", pa.string()) for side in ("src", "dst") for name in END]
    + [("protocol", pa.int16()), ("port", pa.int32()), ("direction", pa.string()), ("reason", pa.string())]
)
COUNTS = pa.schema(
    [
        *((name, pa.int64()) for name in ("connections", "failed", "ambiguous", "bytes")),
        ("first_seen", TIME),
        ("last_seen", TIME),
    ]
)
FOUND = pa.schema([("finding", pa.string()), *KEY, *COUNTS, ("periodic", pa.string())])
SUMS = {"first_seen": "min", "last_seen": "max"}


def found(policies: Policies, history: History, columns: Columns, verdicts: Verdicts, open_to_plugin: Mask) -> pa.Table:
    """What is not told here is allowed."""
    reasons = _Reasons(policies, history, columns, verdicts)
    denied, not_told = verdicts.denied, untold(policies, verdicts)
    undecided = open_to_plugin & ~denied & ~not_told
    tables = [
        _grouped(history, history.rows, denied, reasons.denied(np.flatnonzero(denied)), Finding.DENIED),
        _grouped(history, history.rows, not_told, reasons.undecided(np.flatnonzero(not_told)), Finding.UNTOLD),
        _grouped(history, history.rows, undecided, reasons.undecided(np.flatnonzero(undecided)), Finding.UNDECIDED),
        _unresolved(history),
    ]
    return pa.concat_tables(tables)


def _unresolved(history: History) -> pa.Table:
    rows = history.unresolved
    reasons = [("", "which pod was behind the Service is not known")] * rows.num_rows
    return _grouped(history, rows, np.ones(rows.num_rows, np.bool_), reasons, Finding.UNRESOLVED)


class _Reasons:
    """(direction, reason) of single edges."""

    def __init__(self, policies: Policies, history: History, columns: Columns, verdicts: Verdicts) -> None:
        self._policies = policies
        self._edges = history.edges
        self._verdicts = verdicts
        self._columns = columns

    def denied(self, edges: Numbers) -> list[tuple[str, str]]:
        """Most edges share theirs with others."""
        sides = ((Direction.EGRESS, self._verdicts.egress), (Direction.INGRESS, self._verdicts.ingress))
        reasons = {direction: self._denials(direction, side[edges], edges) for direction, side in sides}
        pairs = list(zip(*reasons.values(), strict=True))
        told = {pair: _told(dict(zip(reasons, pair, strict=True))) for pair in set(pairs)}
        return [told[pair] for pair in pairs]

    def _denials(self, direction: Direction, decided: Numbers, edges: Numbers) -> list[str | None]:
        isolating = iter(self._isolating(direction, edges[decided == DEFAULT_DENY]))
        return [
            f"default deny: {next(isolating)}" if number == DEFAULT_DENY else self._denial(number)
            for number in decided.tolist()
        ]

    def _denial(self, decided: int) -> str | None:
        rule = self._policies.rules[decided] if decided >= 0 else None
        return f"denied by {rule.origin}" if rule and rule.action is Action.DENY and not rule.unsure else None

    def _isolating(self, direction: Direction, edges: Numbers) -> list[str]:
        """For each edge the policies that isolate its end in the tier that denies it: the first at whose end it is denied."""
        whole = Edges(*(column[edges] for column in self._edges))
        ends = (whole.src if direction is Direction.EGRESS else whole.dst).tolist()
        names = [""] * len(edges)
        tiers = [tuple(tier) for _, tier in groupby(self._policies.sections, lambda section: section.place[:2])]
        for number, sections in enumerate(tiers, 1):
            isolating = _isolating(sections, self._columns, direction)
            # What no tier before denied, the last one did.
            last = number == len(tiers)
            denied = np.ones(len(edges), np.bool_) if last else self._denied_by(tiers[:number], direction, whole)
            names = [
                name or (isolating[end] if is_denied else "")
                for name, end, is_denied in zip(names, ends, denied.tolist(), strict=True)
            ]
        return names

    def _denied_by(self, tiers: Sequence[tuple[Section, ...]], direction: Direction, edges: Edges) -> Mask:
        judged = Policies(tuple(chain.from_iterable(tiers)), self._policies.plugin)
        verdicts = evaluate_columns(judged, self._columns, edges)
        return np.asarray((verdicts.egress if direction is Direction.EGRESS else verdicts.ingress) == DEFAULT_DENY)

    def undecided(self, edges: Numbers) -> list[tuple[str, str]]:
        return [self._undecided(edge) for edge in edges]

    def _undecided(self, edge: int) -> tuple[str, str]:
        used = {int(side[edge]) for side in (self._verdicts.egress, self._verdicts.ingress) if side[edge] >= 0}
        rules = [self._policies.rules[rule] for rule in sorted(used)]
        unsure = [f"{rule.origin} hangs on {rule.unsure}, which no flow record tells" for rule in rules if rule.unsure]
        if unsure:
            return "", "; ".join(unsure)
        if self._verdicts.unknown[edge]:
            return "", f"no policy can name {protocol_name(int(self._edges.protocol[edge]), None)}"
        return "", f"allowed by the address of a pod: {', '.join(rule.origin for rule in rules)}"


def _told(by: Mapping[Direction, str | None]) -> tuple[str, str]:
    reasons = {direction: reason for direction, reason in by.items() if reason}
    return " and ".join(reasons), "; ".join(dict.fromkeys(reasons.values()))


def _isolating(sections: Sequence[Section], columns: Columns, direction: Direction) -> Sequence[str]:
    """For each endpoint the policies that isolate it."""
    names: list[list[str]] = [[] for _ in range(len(columns))]
    for section in sections:
        if section.direction is direction and section.isolates:
            policy = section.origin.partition(" ")[0]
            for row in np.flatnonzero(columns.of(section.subject)):
                names[row].append(policy)
    return [words.listed(of_one) for of_one in names]


def _grouped(
    history: History, rows: pa.Table, mask: Mask, reasons: list[tuple[str, str]], finding: Finding
) -> pa.Table:
    kept = rows.filter(pa.array(mask))
    keyed = _keyed(kept, reasons)
    sums = [(name, SUMS.get(name, "sum")) for name in COUNTS.names]
    groups = keyed.group_by(KEY.names, use_threads=False).aggregate([*sums, ("row", "list")])
    columns = {name: groups[name] for name in KEY.names}
    columns |= {name: groups[f"{name}_{how}"] for name, how in sums}
    columns["finding"] = _finding(finding, columns["connections"], columns["failed"])
    rhythm = rhythms(history, kept)
    pairs = zip(columns["src_workload_kind"].to_pylist(), groups["row_list"].to_pylist(), strict=True)
    columns["periodic"] = pa.array([rhythm(kind, members) for kind, members in pairs], pa.string())
    table = pa.table({name: columns[name] for name in FOUND.names}).cast(FOUND)
    order = [("connections", "descending")] + [(name, "ascending") for name in KEY.names]
    return table.sort_by(order)


def _keyed(rows: pa.Table, reasons: list[tuple[str, str]]) -> pa.Table:
    columns = {name: rows[name] for name in rows.schema.names if name in (*KEY.names, *COUNTS.names)}
    columns["src_name"] = pc.coalesce(rows["src_workload"], rows["src_address"])
    columns["dst_name"] = pc.coalesce(rows["dst_workload"], rows["dst_domain"], rows["dst_address"])
    columns["direction"] = pa.array([direction or None for direction, _ in reasons], pa.string())
    columns["reason"] = pa.array([reason for _, reason in reasons], pa.string())
    columns["row"] = pa.array(np.arange(rows.num_rows))
    return pa.table(columns)


def _finding(finding: Finding, connections: pa.ChunkedArray, failed: pa.ChunkedArray) -> pa.ChunkedArray:
    if finding is not Finding.DENIED:
        return pa.chunked_array([[finding.value] * len(connections)], pa.string())
    return pc.if_else(pc.equal(connections, failed), Finding.DENIED_FAILED.value, finding.value)
