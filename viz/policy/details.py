"""Why an edge of the picture is as it is, what decides about a workload, and what stands behind a rule."""

from typing import Any
from urllib.parse import urlencode

import networkx as nx
import pyarrow as pa
import streamlit as st

from analysis.graph import PROTOCOLS, label_of
from analysis.policy.picture.edges import State
from analysis.policy.picture.picture import Picture, line_of
from analysis.policy.rules import Action
from viz import filters, tables
from viz.filters import PROTOCOLS as OFFERED
from viz.graph.drawing import edge_id, keys_of, ports_told, rows_of
from viz.humane import instant, of, size
from viz.plain import code, lines, visible
from viz.policy.words import NAMES, SHORT

RULES = ("name", "about", "peers", "ports", "edges", "connections", "last_seen")
EDGES = ("state", "src_name", "dst_name", "ports", "connections", "failed", "bytes", "first_seen", "last_seen")
LEFT_OUT = ("src_name", "dst_name", "ports", "why", "connections", "failed", "bytes", "first_seen", "last_seen")
ORDER = (State.DENIED, State.LEFT_OUT, State.UNDECIDED, State.ALLOWED, State.UNUSED)

Line = tuple[str, str, str]
Row = dict[str, Any]


def edge(picture: Picture, graph: nx.MultiDiGraph, line: Line) -> None:
    source, target, _ = line
    drawn = rows_of(graph, line)
    st.markdown(f"#### {code(label_of(graph, source))} → {code(label_of(graph, target))}")
    reasons = _reasons(picture, graph, line)
    if not reasons:
        st.info("It stands for several; choose a workload at the left to see them.")
    for row in reasons:
        st.markdown(f"**{NAMES[State(row['state'])].capitalize()}** · {code(ports_told([row]))} · {_seen(row)}")
        told = {"Leaving": row["leaving"], "Entering": row["entering"], "Because": row["why"]}
        told |= {"Almost allowed": "; ".join(row["near"] or ())}
        with st.container(gap="xxsmall"):
            for side, text in told.items():
                if text:
                    st.text(f"{side}: {visible(text)}")
    if reasons and any(row["connections"] for row in drawn):
        _link(graph.nodes[source], graph.nodes[target], drawn)


def _reasons(picture: Picture, graph: nx.MultiDiGraph, line: Line) -> list[Row]:
    """Pods of one workload may have different answers."""
    lines = {(*line[:2], key) for key in keys_of(graph, line)}
    return [row for row in picture.edges.to_pylist() if line_of(row) in lines]


def _seen(row: Row) -> str:
    if not row["connections"]:
        return "never used"
    failed = f" ({of(row['failed'], 'failure')})" if row["failed"] else ""
    times = f"{instant(row['first_seen'])} to {instant(row['last_seen'])} UTC"
    return f"{of(row['connections'], 'connection')}{failed} · {size(row['bytes'])} · {times}"


def _link(source: Row, target: Row, drawn: list[Row]) -> None:
    """To the connections themselves: the page Flows in a tab of its own, with its filters set."""
    namespace = filters.current().namespace
    inside, other = (source, target) if source["namespace"] == namespace else (target, source)
    asked = {name: st.query_params[name] for name in ("time", "between") if name in st.query_params}
    asked |= {"namespace": visible(namespace or ""), "workload": visible(inside["name"]), "text": other["name"]}
    if len(drawn) == 1:
        name = PROTOCOLS.get(drawn[0]["protocol"])
        more = {"port": drawn[0]["port"], "protocol": name if name in OFFERED else None}
        asked |= {name: str(value) for name, value in more.items() if value is not None}
    st.link_button("Its connections", f"flows?{urlencode(asked)}", icon=":material/swap_calls:", type="tertiary")


def node(picture: Picture, graph: nx.MultiDiGraph, identifier: str) -> None:
    """The rules about a workload; of whom no rule is about, those that decide its edges."""
    st.markdown(f"#### {code(label_of(graph, identifier))}")
    rows = picture.rules.to_pylist()
    about = [identifier in row["of"] for row in rows]
    touching = [row for row in picture.edges.to_pylist() if identifier in line_of(row)[:2]]
    deciding = {row[side] for row in touching for side in ("egress", "ingress")}
    shown = about if any(about) else [row["rule"] in deciding for row in rows]
    if any(shown):
        tables.show(picture.rules.filter(pa.array(shown)), _columns(picture.rules), "rules of node")
    else:
        st.caption("No rule is about it, and none decides about its edges.")


def rules(picture: Picture) -> None:
    """All of them; below, the edges that the chosen one decides."""
    if not picture.rules.num_rows:
        st.caption("No rule is about this namespace.")
        return
    row = tables.choose(picture.rules, _columns(picture.rules), RULES_KEY)
    if row is None or row >= picture.rules.num_rows:
        st.caption("Choose a rule to see the edges that it decides.")
        return
    decided = picture.decided_by(picture.rules["rule"][row].as_py())
    st.markdown(f"**{of(decided.num_rows, 'edge')}** decided by {code(picture.rules['origin'][row].as_py())}")
    if decided.num_rows:
        edges(decided, "edges of rule")


RULES_KEY = "rules"


def _columns(table: pa.Table) -> tuple[str, ...]:
    """What a rule does is told where some do not allow."""
    return RULES if set(table["action"].to_pylist()) == {Action.ALLOW} else ("name", "action", *RULES[1:])


def edges(table: pa.Table, key: str) -> None:
    """What would be denied first."""
    rank = [ORDER.index(State(one)) for one in table["state"].to_pylist()]
    ordered = table.append_column("rank", pa.array(rank, pa.int64()))
    _edges(ordered.sort_by([("rank", "ascending"), ("connections", "descending")]), EDGES, key)


def _edges(table: pa.Table, columns: tuple[str, ...], key: str) -> None:
    rows = table.to_pylist()
    told = {"state": [SHORT[State(row["state"])] for row in rows], "ports": [ports_told([row]) for row in rows]}
    for name, values in told.items():
        table = table.set_column(table.schema.get_field_index(name), name, pa.array(values, pa.string()))
    tables.show(table, columns, key)


def left_out(table: pa.Table) -> None:
    if table.num_rows:
        _edges(table.sort_by([("connections", "descending")]), LEFT_OUT, "left_out")
    else:
        st.caption("Nothing was left out.")


def yaml(text: str, name: str) -> None:
    st.download_button("Download", text, name, "application/yaml", icon=":material/download:", on_click="ignore")
    st.code(lines(text), language="yaml", line_numbers=True, height=560)


def marked(picture: Picture, row: int | None) -> list[str]:
    """The lines of the edges that the chosen rule decides; also those that stand for many ports."""
    if row is None or row >= picture.rules.num_rows:
        return []
    decided = picture.decided_by(picture.rules["rule"][row].as_py()).to_pylist()
    lines = ((line_of(one), one["state"]) for one in decided)
    return [edge_id(source, target, key) for (source, target, own), state in lines for key in (own, state)]
