"""The service graph for other programs: Arrow, JSON, GraphML, Mermaid."""

import json
import re
from datetime import datetime
from io import BytesIO
from typing import Any

import networkx as nx
import pyarrow as pa

from analysis.graph import EDGES, ENDS, NODE, label_of, protocol_name

# Mermaid's own limits are 500 edges and 50,000 characters; GitHub draws no larger ones.
MERMAID_EDGES = 500

NOT_XML = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def as_table(graph: nx.MultiDiGraph) -> pa.Table:
    """One row an edge, the most connections first."""
    rows = [
        {
            f"{end}_{name}": graph.nodes[node][name]
            for end, node in zip(ENDS, (source, target), strict=True)
            for name in NODE
        }
        | data
        for source, target, data in graph.edges(data=True)
    ]
    order = [
        ("connections", "descending"),
        *((name, "ascending") for name in EDGES.names[: 2 * len(NODE)] + ["protocol", "port"]),
    ]
    return pa.Table.from_pylist(rows, schema=EDGES).sort_by(order)


def as_json(graph: nx.MultiDiGraph) -> str:
    nodes = [{"id": node, **{name: graph.nodes[node][name] for name in NODE}} for node in sorted(graph)]
    edges = [{"src": source, "dst": target, **data} for source, target, _, data in _edges(graph)]
    return json.dumps({"nodes": nodes, "edges": edges}, default=_text_of_time, ensure_ascii=False, indent=2)


def as_graphml(graph: nx.MultiDiGraph) -> str:
    plain = nx.MultiDiGraph()
    for node in sorted(graph):
        attributes = {name: graph.nodes[node][name] for name in (*NODE, "label")}
        plain.add_node(node, **_printable(attributes))
    for source, target, key, data in _edges(graph):
        plain.add_edge(source, target, key, **_printable(data))
    buffer = BytesIO()
    nx.write_graphml(plain, buffer, named_key_ids=True)
    return buffer.getvalue().decode()


def as_mermaid(graph: nx.MultiDiGraph) -> str:
    """A flowchart; of more than ``MERMAID_EDGES`` edges those with the most connections."""
    edges = sorted(_edges(graph), key=lambda edge: -edge[3]["connections"])[:MERMAID_EDGES]
    shown = sorted({end for source, target, *_ in edges for end in (source, target)})
    names = {node: f"n{index}" for index, node in enumerate(shown)}
    lines = [f'  {names[node]}["{_entities(label_of(graph, node))}"]' for node in shown]
    lines += [
        f'  {names[source]} -->|"{protocol_name(data["protocol"], data["port"])}"| {names[target]}'
        for source, target, _, data in edges
    ]
    return "\n".join(["flowchart LR", *lines, ""])


def _edges(graph: nx.MultiDiGraph) -> list[tuple[str, str, str, dict[str, Any]]]:
    return sorted(graph.edges(keys=True, data=True), key=lambda edge: edge[:3])


def _text_of_time(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value)} in a graph")


def _printable(attributes: dict[str, Any]) -> dict[str, Any]:
    """XML 1.0 §2.2 knows no controls and no surrogates; they become U+FFFD. NULL is left out."""
    return {name: _xml(value) for name, value in attributes.items() if value is not None}


def _xml(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if not isinstance(value, str):
        return value
    return NOT_XML.sub("\N{REPLACEMENT CHARACTER}", value)


def _entities(text: str) -> str:
    """Everything but letters, digits and the plainest punctuation as a Mermaid character code."""
    return "".join(c if c.isalnum() or c in " ./_-:" else f"#{ord(c)};" for c in text)
