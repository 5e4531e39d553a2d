"""The resolver map, and what of the page a click on it chooses."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import networkx as nx
import streamlit as st

from analysis.dns.resolvers import CLIENTS, OUTSIDE
from analysis.graph import label_of
from viz.graph import picture
from viz.graph.drawing import Drawing, Edge, Legend, Row, Telling, chosen, edge_id, node_id, rows_of
from viz.humane import latency, number, of, share
from viz.plain import code

HEIGHT = 600
KEY = "resolver_map"
# In the address: the id of the node or edge that was clicked.
IN_URL = "on"
# A new picture has nothing chosen.
CLEARED = "resolver maps cleared"
LEGEND: Legend = (
    ("width", "width: transactions"),
    ("warning", "some failed"),
    ("danger", "a tenth or more failed"),
    ("frame", "outside, or unknown"),
)


@dataclass(frozen=True)
class Focus:
    """What was chosen on the map: ``parameters`` of the questions of the page, and the same in words (Markdown)."""

    identifier: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    words: str = ""

    @property
    def client(self) -> dict[str, Any]:
        """Those that are about the client alone: all that resolver calls and findings can be narrowed to."""
        if self.parameters.get("forwarded"):
            return {}
        return {name: self.parameters[name] for name in ("namespace", "workload") if name in self.parameters}

    @property
    def beyond_client(self) -> bool:
        """Something is chosen that findings cannot be narrowed to."""
        return self.parameters.keys() != self.client.keys()


def focus(read: Callable[[], nx.MultiDiGraph]) -> Focus:
    """What was clicked last, or what the address of the page says; nothing, if the map has no such thing.

    ``read`` gives the map, which takes its time, and is called only where something is chosen.
    """
    clicked = st.session_state.get(_key())
    identifier = clicked.get("selection") if clicked else st.query_params.get(IN_URL)
    found = _focus(read(), identifier) if identifier else Focus()
    _remember(found.identifier)
    return found


def _focus(graph: nx.MultiDiGraph, identifier: object) -> Focus:
    match chosen(graph, identifier):
        case (node,):
            forwarded = any(edge for *_, edge in graph.in_edges(node, data="forwarded"))
            return _of_node(graph, node, forwarded)
        case (source, target, key):
            return _of_edge(graph, (source, target, key))
    return Focus()


def _of_node(graph: nx.MultiDiGraph, node: str, forwarded: bool) -> Focus:
    data, name = graph.nodes[node], code(label_of(graph, node))
    if data["layer"] == CLIENTS:
        return Focus(node_id(node), _client(data), f"what {name} asks")
    outside = data["layer"] == OUTSIDE
    words = f"what name servers ask of {name}" if outside and forwarded else f"what {name} is asked"
    return Focus(node_id(node), _server(graph, node) | {"forwarded": outside and forwarded}, words)


def _of_edge(graph: nx.MultiDiGraph, line: Edge) -> Focus:
    source, target, _ = line
    parameters = _client(graph.nodes[source]) | _server(graph, target)
    parameters["forwarded"] = rows_of(graph, line)[0]["forwarded"]
    words = f"what {code(label_of(graph, source))} asks of {code(label_of(graph, target))}"
    return Focus(edge_id(*line), parameters, words)


def _client(data: Mapping[str, Any]) -> dict[str, Any]:
    """Of a card that stands for several there is only the namespace."""
    told = {"namespace": data["namespace"], "pod" if data["workload_kind"] == "Pod" else "workload": data["name"]}
    return {name: value for name, value in told.items() if value is not None}


def _server(graph: nx.MultiDiGraph, node: str) -> dict[str, Any]:
    data = graph.nodes[node]
    name = label_of(graph, node) if data["workload_kind"] == "Pod" else data["name"]
    return {} if data["name"] is None else {"server": name}


def banner(found: Focus) -> None:
    """What the page is narrowed to, and the way back. There is room for it always: what follows keeps its place."""
    with st.container(horizontal=True, vertical_alignment="center", key="focus"):
        if found.identifier is not None:
            st.markdown(f":material/filter_alt: Only {found.words}", width="content")
            if found.beyond_client:
                st.caption("The findings are not narrowed by a server.", width="content")
            st.button("Show all", icon=":material/close:", type="tertiary", on_click=_clear)


def _clear() -> None:
    st.session_state[CLEARED] = st.session_state.get(CLEARED, 0) + 1
    _remember(None)


def _key() -> str:
    return f"{KEY} {st.session_state.get(CLEARED, 0)}"


def _remember(identifier: str | None) -> None:
    if identifier is not None:
        st.query_params[IN_URL] = identifier
    elif IN_URL in st.query_params:
        del st.query_params[IN_URL]


def shown(drawing: Drawing, found: Focus) -> None:
    picture(drawing, _key(), HEIGHT, LEGEND, at_first=found.identifier)


def _label(rows: Sequence[Row]) -> str:
    mean = _mean(rows)
    return number(_sum(rows, "transactions")) + (f" · {latency(mean)}" if mean is not None else "")


def _notes(rows: Sequence[Row]) -> list[str]:
    mean = _mean(rows)
    return [_sums(rows), *([f"{latency(mean)} to the answer on average"] if mean is not None else [])]


def _sums(rows: Sequence[Row]) -> str:
    transactions = _sum(rows, "transactions")
    parts = {"failed": _sum(rows, "failed"), "NXDOMAIN": _sum(rows, "nxdomain")}
    told = [f"{share(count, transactions)} {name}" for name, count in parts.items() if count]
    return ", ".join([of(transactions, "transaction"), *told])


def _mean(rows: Sequence[Row]) -> float | None:
    answered = _sum(rows, "answered")
    return _sum(rows, "latency_us") / answered if answered else None


def _sum(rows: Sequence[Row], name: str) -> int:
    return sum(row[name] for row in rows)


TRANSACTIONS = Telling("transactions", "transactions", _label, _notes, _sums, flowing=True)
