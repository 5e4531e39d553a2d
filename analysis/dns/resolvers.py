"""The resolver map: which workload asks which name server, and whom that asks in turn."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import networkx as nx

from analysis.graph import MOST_EDGES, SEVERAL, Node, graph_of, merged
from analysis.questions import TIMEOUT_S, Asking

SUMS = ("transactions", "failed", "unanswered", "nxdomain", "answered", "latency_us")
APART = ("forwarded",)

CLIENTS, SERVERS, OUTSIDE = range(3)
# Cards that fit one below the other and can still be read; beyond, one stands for its whole namespace.
MOST = {CLIENTS: 40, SERVERS: 12, OUTSIDE: 14}
# How a card is called that stands for several.
SEVERAL_OF = {CLIENTS: "clients", SERVERS: "name servers", OUTSIDE: "servers"}
REST = "rest"


def resolver_map(ask: Asking, parameters: Mapping[str, object], timeout_s: float = TIMEOUT_S) -> nx.MultiDiGraph:
    """``parameters``: since, until, and of the clients namespace and workload. Nodes have a ``layer``: who asks, is asked, is asked
    in turn. ``graph["truncated"]``: there were more edges."""
    answer = ask("pages/dns_edges", parameters, MOST_EDGES, timeout_s)
    graph = graph_of(answer.table, answer.truncated, APART, SUMS, key=())
    if parameters.get("namespace") or parameters.get("workload"):
        graph = _asked_by_clients(graph)
    for node, layer in _layers(graph).items():
        _put(graph.nodes[node], layer)
    for layer, most in MOST.items():
        graph = _fewer(graph, layer, most)
    return graph


def _asked_by_clients(graph: nx.MultiDiGraph) -> nx.MultiDiGraph:
    """Without the servers that the chosen clients have nothing to do with."""
    reached = {source for source, _, forwarded in graph.edges(data="forwarded") if not forwarded}
    for client in sorted(reached):
        reached |= nx.descendants(graph, client)
    return graph.subgraph(reached).copy()


def _layers(graph: nx.MultiDiGraph) -> dict[str, int]:
    edges = list(graph.edges(data="forwarded"))
    forwarders = {source for source, _, forwarded in edges if forwarded}
    asked = {target for _, target, _ in edges}
    outside = {node for node in asked - forwarders if graph.nodes[node]["kind"] == "external"}
    answering = forwarders | (asked - outside)
    return {node: OUTSIDE if node in outside else SERVERS if node in answering else CLIENTS for node in graph}


def _put(data: dict[str, Any], layer: int) -> None:
    """Into its layer, where a namespace has a frame of its own."""
    label = f"{data['group_label']}: name servers" if layer == SERVERS else data["group_label"]
    data.update(layer=layer, group=f"{layer}/{data['group']}", group_label=label)


def _fewer(graph: nx.MultiDiGraph, layer: int, most: int) -> nx.MultiDiGraph:
    members: dict[str, list[str]] = defaultdict(list)
    for node in sorted(graph):
        if graph.nodes[node]["layer"] == layer:
            members[graph.nodes[node]["group"]].append(node)
    if sum(map(len, members.values())) <= most:
        return graph
    busiest = Counter({group: sum(_busy(graph, node) for node in nodes) for group, nodes in members.items()})
    shown = {group for group, _ in busiest.most_common(most - 1)}
    sizes = Counter({group: len(nodes) for group, nodes in members.items() if group in shown})
    sizes[REST] = sum(len(nodes) for group, nodes in members.items() if group not in shown)

    def representative(node: str) -> Node | None:
        data = graph.nodes[node]
        if data["layer"] != layer:
            return None
        group = data["group"] if data["group"] in shown else REST
        return _several(data, group, sizes[group])

    return merged(graph, representative)


def _busy(graph: nx.MultiDiGraph, node: str) -> int:
    return int(graph.degree(node, weight="transactions"))


def _several(data: Mapping[str, Any], group: str, count: int) -> Node:
    layer = data["layer"]
    told = {**data, "kind": SEVERAL, "workload_kind": None, "name": None, "label": f"{count} {SEVERAL_OF[layer]}"}
    if group == REST:
        told |= {"namespace": None, "group": f"{layer}/{REST}", "group_label": "all others", "outside": True}
    return f"{SEVERAL}/{layer}/{quote(group, safe='')}", told
