"""What a set of policies does to the edges of a namespace, ready to be drawn and asked why."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import networkx as nx
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analysis.graph import ENDS, NODE, edge_key, graph_of, node_id
from analysis.policy import words
from analysis.policy.endpoints import Columns, Endpoint
from analysis.policy.evaluate import columns_of
from analysis.policy.history import History
from analysis.policy.picture.edges import JUDGED, Judging, LeftOut, Row, State, ends_of
from analysis.policy.picture.ends import Ends, Scope
from analysis.policy.picture.never_used import Search, Unused
from analysis.policy.picture.rules import rule_table
from analysis.policy.rules import Direction, Policies
from analysis.policy.selectors import Either

# More than these hide what is used; the others are counted.
MOST_UNUSED = 150
TOLD_BY = ("state", "port", "ports", "src_kind", "dst_kind")
# What tells two edges of the graph apart beside protocol and port.
APART = ("state", "ports")
DNS = 53


@dataclass(frozen=True)
class Picture:
    """``edges`` are of the schema ``JUDGED``, ``rules`` of ``RULES``; ``unshown`` unused edges are not among them.

    ``open_sides`` says which workloads nothing isolates.
    """

    edges: pa.Table
    rules: pa.Table
    unshown: int
    open_sides: Sequence[str]

    def graph(self, hidden: frozenset[str] = frozenset()) -> nx.MultiDiGraph:
        """Without the edges in the states that are ``hidden``, and without dns and nodes that are allowed if those are."""
        kept = [not _kinds(edge) & hidden for edge in self.edges.select(TOLD_BY).to_pylist()]
        return graph_of(self.edges.filter(pa.array(kept, pa.bool_())), apart=APART)

    def decided_by(self, rule: int) -> pa.Table:
        return self.edges.filter(
            pc.or_kleene(pc.equal(self.edges["egress"], rule), pc.equal(self.edges["ingress"], rule))
        )

    def of(self, state: State) -> pa.Table:
        return self.edges.filter(pc.equal(self.edges["state"], state.value))

    def counts(self) -> Mapping[State, int]:
        """Edges between workloads, in each state."""
        graph = self.graph()
        states = [State(state) for *_, state in graph.edges(data="state")]
        return {state: states.count(state) for state in State}


def picture(
    policies: Policies, history: History, known: Sequence[Endpoint], scope: Scope, left_out: LeftOut | None = None
) -> Picture:
    """``known`` are the endpoints of the cluster as it is; ``left_out`` says why an edge was not learned."""
    policies = _shortened(policies)
    ends = Ends(history, known)
    columns = columns_of(policies, ends.endpoints)
    rows = list(Judging(policies, history, ends, columns, scope).rows(left_out or {}))
    unused = list(Search(policies, ends, columns, history.edges, scope).found())
    judged = pa.Table.from_pylist([*rows, *map(_unused, unused[:MOST_UNUSED])], schema=JUDGED)
    return Picture(
        edges=judged,
        rules=rule_table(policies, ends, columns, scope, judged),
        unshown=max(0, len(unused) - MOST_UNUSED),
        open_sides=list(_open_sides(policies, ends, columns, scope)),
    )


def line_of(row: Mapping[str, Any]) -> tuple[str, str, str]:
    """The edge of the graph that a row of ``JUDGED`` is in: its nodes and its key."""
    src, dst = (node_id(*(row[f"{side}_{name}"] for name in NODE)) for side in ENDS)
    return src, dst, edge_key(row, APART)


def _kinds(edge: Row) -> set[str]:
    """What may be left out with others of its kind."""
    if edge["state"] not in (State.ALLOWED, State.UNUSED):
        return {edge["state"]}
    ports = (edge["ports"] or "").split(", ")
    dns = {"dns"} if edge["port"] == DNS or all(one.endswith(f" {DNS}") for one in ports) else set()
    nodes = {"nodes"} if "node" in (edge["src_kind"], edge["dst_kind"]) else set()
    return {edge["state"], *dns, *nodes}


def _shortened(policies: Policies) -> Policies:
    """Origins without the file: no policy is in two of them."""
    sections = [
        replace(
            section,
            origin=_short(section.origin),
            rules=tuple(replace(rule, origin=_short(rule.origin)) for rule in section.rules),
        )
        for section in policies.sections
    ]
    return replace(policies, sections=sections)


def _short(origin: str) -> str:
    return origin.partition(" in ")[0]


def _unused(one: Unused) -> Row:
    side = "leaving" if one.direction is Direction.EGRESS else "entering"
    return {
        **ends_of(one.src, one.dst),
        "protocol": one.protocol,
        "port": None,
        "connections": 0,
        "failed": 0,
        "bytes": 0,
        "state": State.UNUSED,
        "ports": one.ports,
        one.direction.value: one.rule,
        side: "allowed, and nobody used it",
    }


def _open_sides(policies: Policies, ends: Ends, columns: Columns, scope: Scope) -> Iterator[str]:
    """Workloads of today that may still talk to everybody, or be talked to."""
    inside = ends.inside(scope) & ends.now
    told = {Direction.INGRESS: "be reached by everybody", Direction.EGRESS: "talk to everybody"}
    for direction, what in told.items():
        isolating = (one for one in policies.sections if one.direction is direction and one.isolates)
        isolated = Either(tuple(one.subject for one in isolating)).mask(columns)
        names = ends.names(np.flatnonzero(columns.pods & ~isolated & inside))
        if names:
            yield f"No policy isolates the {direction} of {words.listed(names)}: they may {what}."
