"""Why a rule is there: the edges of history that it decides, and those that it matches though something else decides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analysis.policy.endpoints import Columns, Numbers
from analysis.policy.evaluate import (
    ALWAYS,
    DEFAULT_DENY,
    NOT_ISOLATED,
    UNKNOWN,
    Verdicts,
    columns_of,
    evaluate_columns,
)
from analysis.policy.findings import COUNTS, END, SUMS
from analysis.policy.grouping import workload_edges
from analysis.policy.history import SIDES, History
from analysis.policy.rhythm import rhythms
from analysis.policy.rules import Direction, Policies, Rule, Section
from analysis.words import counted
from contract.errors import QuestionError

EDGE = pa.schema(
    [(f"{side}_{name}", pa.string()) for side in SIDES for name in END]
    + [("protocol", pa.int16()), ("port", pa.int32())]
)
EXPLAINED = pa.schema(
    [
        ("rule", pa.string()),
        ("direction", pa.string()),
        ("action", pa.string()),
        *EDGE,
        *COUNTS,
        ("periodic", pa.string()),
        ("decided_by", pa.string()),
    ]
)
NOTHING_USED_IT = "nothing used it"

# Who decides where it is no rule.
OTHERWISE = {
    NOT_ISOLATED: "nothing, as no policy isolates it there",
    DEFAULT_DENY: "default deny of a later tier",
    ALWAYS: "nothing, as it is always allowed: a pod to itself, a pod and its own node",
    UNKNOWN: "the network plugin, as no policy can name the protocol",
}


class Told(NamedTuple):
    """One rule as it was written, or what of it denies; ``numbers`` are those of what its reader made of it."""

    numbers: tuple[int, ...]
    section: Section
    rule: Rule


@dataclass(frozen=True)
class Explanation:
    """``rows`` are the edges of each rule; ``decided_by`` is NULL where it is the rule itself."""

    rules: Sequence[Told]
    rows: pa.Table

    def of(self, rule: Told) -> pa.Table:
        same = pc.and_(
            pc.equal(self.rows["rule"], rule.rule.origin), pc.equal(self.rows["action"], rule.rule.action.value)
        )
        return self.rows.filter(same)

    @property
    def unused(self) -> list[Told]:
        used = set(zip(self.rows["rule"].to_pylist(), self.rows["action"].to_pylist(), strict=True))
        return [told for told in self.rules if (told.rule.origin, told.rule.action.value) not in used]

    @property
    def summary(self) -> str:
        used = len(self.rules) - len(self.unused)
        return f"{used:,} of {counted(len(self.rules), 'rule')} used by anything that history has."


def explain(policies: Policies, history: History, text: str = "") -> Explanation:
    """Of the rules whose origin has ``text`` in it."""
    chosen = _chosen(policies, text)
    columns = columns_of(policies, history.endpoints)
    verdicts = evaluate_columns(policies, columns, history.edges)
    matched = pa.concat_tables([_matches(told, policies, history, columns, verdicts) for told in chosen])
    return Explanation(chosen, _rows(policies, chosen, history, matched))


def _chosen(policies: Policies, text: str) -> list[Told]:
    sections = [section for section in policies.sections for _ in section.rules]
    numbers: dict[tuple[str, str], list[int]] = {}
    for number, rule in enumerate(policies.rules):
        numbers.setdefault((rule.origin, rule.action), []).append(number)
    found = [
        Told(tuple(parts), sections[parts[0]], policies.rules[parts[0]])
        for (origin, _), parts in numbers.items()
        if text in origin
    ]
    if not found:
        if not text:
            raise QuestionError(
                "none of these policies has a rule: they deny, and there is nothing that could have been used"
            )
        near = get_close_matches(text, [origin for origin, _ in numbers], 1, 0)
        raise QuestionError(f"no rule has {text!r:.60} in its name; the nearest is {near[0] if near else 'none'}")
    return found


def _matches(told: Told, policies: Policies, history: History, columns: Columns, verdicts: Verdicts) -> pa.Table:
    """(rule, decider, edge) of every edge that a part of the rule matches; it is the rule's own if any of them decides it."""
    edges, section = history.edges, told.section
    own, other, side = edges.dst, edges.src, verdicts.ingress
    if section.direction is Direction.EGRESS:
        own, other, side = other, own, verdicts.egress
    about = np.flatnonzero(columns.of(section.subject)[own])
    matched = np.zeros(len(own), np.bool_)
    for number in told.numbers:
        rule = policies.rules[number]
        at = about[rule.meets(columns, own[about], other[about])]
        matched[at[rule.opens(columns, edges.dst[at], edges.protocol[at], edges.port[at])]] = True
    rows = np.flatnonzero(matched)
    first = told.numbers[0]
    decider = np.where(np.isin(side[rows], told.numbers), first, side[rows])
    return pa.table({"rule": np.full(len(rows), first), "decider": decider, "row": rows})


def _rows(policies: Policies, chosen: Sequence[Told], history: History, matched: pa.Table) -> pa.Table:
    keys, of_row = _workload_edges(history.rows)
    counts = history.rows.select(COUNTS.names).take(matched["row"])
    for name, column in ("rule", matched["rule"]), ("decider", matched["decider"]), ("row", matched["row"]):
        counts = counts.append_column(name, column)
    counts = counts.append_column("edge", pa.array(of_row[matched["row"].to_numpy()]))
    sums = [(name, SUMS.get(name, "sum")) for name in COUNTS.names]
    groups = counts.group_by(["rule", "decider", "edge"], use_threads=False).aggregate([*sums, ("row", "list")])
    edges = keys.take(groups["edge"])
    found = {name: edges[name] for name in EDGE.names} | {name: groups[f"{name}_{how}"] for name, how in sums}
    rules = {told.numbers[0]: told for told in chosen}
    told = [rules[number] for number in groups["rule"].to_pylist()]
    found["rule"] = pa.array([one.rule.origin for one in told], pa.string())
    found["direction"] = pa.array([one.section.direction.value for one in told], pa.string())
    found["action"] = pa.array([one.rule.action.value for one in told], pa.string())
    deciders = zip(groups["rule"].to_pylist(), groups["decider"].to_pylist(), strict=True)
    found["decided_by"] = pa.array([_decider(policies, *both) for both in deciders], pa.string())
    rhythm = rhythms(history, history.rows)
    pairs = zip(edges["src_workload_kind"].to_pylist(), groups["row_list"].to_pylist(), strict=True)
    found["periodic"] = pa.array([rhythm(kind, members) for kind, members in pairs], pa.string())
    table = pa.table({name: found[name] for name in EXPLAINED.names}).cast(EXPLAINED)
    return _ordered(table, groups["rule"])


def _decider(policies: Policies, rule: int, decider: int) -> str | None:
    if decider == rule:
        return None
    return policies.rules[decider].origin if decider >= 0 else OTHERWISE.get(decider, "nothing")


def _workload_edges(rows: pa.Table) -> tuple[pa.Table, Numbers]:
    """Edges from workload to workload, and which of them each row of history is of."""
    columns = {name: rows[name] for name in EDGE.names if name in rows.schema.names}
    columns["src_name"] = pc.coalesce(rows["src_workload"], rows["src_address"])
    columns["dst_name"] = pc.coalesce(rows["dst_workload"], rows["dst_domain"], rows["dst_address"])
    edges = np.asarray(workload_edges(rows), np.int64)
    _, first = np.unique(edges, return_index=True)
    return pa.table({name: columns[name] for name in EDGE.names}).cast(EDGE).take(pa.array(first)), edges


def _ordered(table: pa.Table, numbers: pa.ChunkedArray) -> pa.Table:
    """Rules as they are judged; of each first what it decides, then what is used most."""
    order: Mapping[str, str] = {"number": "ascending", "other": "ascending", "connections": "descending"}
    keyed = table.append_column("number", numbers).append_column("other", pc.is_valid(table["decided_by"]))
    keys = [*order.items(), *((name, "ascending") for name in (*EDGE.names, "decided_by"))]
    return keyed.sort_by(keys).select(EXPLAINED.names)
