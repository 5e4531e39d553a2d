"""What stands below the service graph: its edges, or the connections and names of what was clicked."""

from functools import partial
from typing import Any

import networkx as nx
import streamlit as st

from analysis.graph import NODE, label_of, protocol_name
from analysis.graph_formats import as_graphml, as_json, as_mermaid, as_table
from analysis.questions import WINDOW
from viz import data, tables
from viz.graph.drawing import rows_of
from viz.humane import number, of, share, size
from viz.plain import code

EDGES = (
    "src_name",
    "dst_name",
    "protocol",
    "port",
    "connections",
    "failed",
    "bytes",
    "last_seen",
)
CONNECTIONS = (
    "start_time", "src", "dst", "protocol", "port", "connection_state", "duration_s",
    "src_bytes", "dst_bytes", "server_handshake_us", "service", "tls_sni", "dst_domain", "src_pod", "dst_pod",
)  # fmt: skip
NAMES = ("qname", "qtype", "transactions", "failed", "unanswered", "p50_us", "last_time")
FORMATS = (
    ("JSON", "json", as_json),
    ("GraphML", "graphml", as_graphml),
    ("Mermaid", "mmd", as_mermaid),
)


Parameters = dict[str, Any]


def edges(graph: nx.MultiDiGraph) -> None:
    title, buttons = st.columns([2, 3], vertical_alignment="center")
    title.markdown(f"**{of(graph.number_of_edges(), 'edge')}** between {of(len(graph), 'node')}")
    with buttons.container(horizontal=True, horizontal_alignment="right"):
        for name, ending, write in FORMATS:
            st.download_button(
                name,
                data=partial(write, graph),
                file_name=f"service-graph.{ending}",
                icon=":material/download:",
                on_click="ignore",
            )
    tables.show(as_table(graph), EDGES, "edges")


def node(graph: nx.MultiDiGraph, identifier: str, drawn: Parameters) -> None:
    """``drawn``: the filters that made the graph, as graph/between takes them."""
    touching = {*graph.in_edges(identifier, keys=True), *graph.out_edges(identifier, keys=True)}
    st.markdown(f"#### {code(label_of(graph, identifier))}")
    _totals([graph.edges[edge] for edge in touching])
    ends = {f"either_{name}": value for name, value in _end(graph, identifier).items()}
    _below(graph, [identifier], drawn | ends, identifier)


def edge(graph: nx.MultiDiGraph, ends: tuple[str, str, str], drawn: Parameters) -> None:
    source, target, key = ends
    rows = rows_of(graph, ends)
    st.markdown(f"#### {code(label_of(graph, source))} → {code(label_of(graph, target))}")
    _totals(rows)
    parameters = drawn | {f"src_{name}": value for name, value in _end(graph, source).items()}
    parameters |= {f"dst_{name}": value for name, value in _end(graph, target).items()}
    if key:
        parameters |= {"protocol": rows[0]["protocol"], "port": rows[0]["port"]}
    _below(graph, [source, target], parameters, source)


def _end(graph: nx.MultiDiGraph, identifier: str) -> dict[str, str | None]:
    return {name: graph.nodes[identifier][name] for name in NODE}


def _totals(rows: list[dict[str, Any]]) -> None:
    connections, failed = sum(row["connections"] for row in rows), sum(row["failed"] for row in rows)
    ports = sorted({protocol_name(row["protocol"], row["port"]) for row in rows})
    told = ", ".join(ports[:6]) + (f" and {number(len(ports) - 6)} more" if len(ports) > 6 else "")
    st.caption(
        f"{of(connections, 'connection')} · {share(failed, connections)} failed · "
        f"{size(sum(row['bytes'] for row in rows))} · {told}"
    )


def _below(graph: nx.MultiDiGraph, nodes: list[str], parameters: Parameters, client: str) -> None:
    if any(graph.nodes[identifier]["name"] is None for identifier in nodes):
        st.info("It stands for several; choose a namespace at the left to see their connections.")
        return
    connections = data.answer("graph/between", **parameters)
    asked = {name: graph.nodes[client][name] for name in ("namespace", "name")}
    window = {name: parameters[name] for name in WINDOW}
    names = data.answer("graph/names", **window, **asked).table
    flows, dns = st.tabs([f"Connections ({_count(connections)})", f"Names asked for ({number(names.num_rows)})"])
    with flows:
        tables.show(connections.table, CONNECTIONS, "connections")
    with dns:
        if names.num_rows:
            tables.show(names, NAMES, "names")
        else:
            st.caption("No DNS query of it was seen.")


def _count(answer: Any) -> str:
    return f"the last {number(answer.table.num_rows)}" if answer.truncated else number(answer.table.num_rows)
