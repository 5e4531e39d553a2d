"""The service graph: who talks to whom, on which protocol and port."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

import networkx as nx
import pyarrow as pa

from analysis.questions import ask
from store.lake import Lake

MOST_EDGES = 20_000
TIMEOUT_S = 30.0

# Addresses outside the cluster come in thousands; beyond these the quietest are drawn as one.
MOST_OUTSIDE = 16
# Beyond, a picture cannot be read: namespaces stand for their workloads.
MOST_NODES = 240

# The kind of a node that stands for several workloads of several namespaces.
SEVERAL = "several"

ENDS = ("src", "dst")
NODE = ("kind", "namespace", "workload_kind", "name")
TIME = pa.timestamp("us", tz="UTC")
EDGES = pa.schema(
    [(f"{end}_{name}", pa.string()) for end in ENDS for name in NODE]
    + [
        ("protocol", pa.int16()),
        ("port", pa.int32()),
        ("connections", pa.int64()),
        ("failed", pa.int64()),
        ("bytes", pa.int64()),
        ("first_seen", TIME),
        ("last_seen", TIME),
    ]
)

# What tells the edges between two nodes apart, what is added up where several become one, and when they were seen.
KEY = ("protocol", "port")
SUMS = ("connections", "failed", "bytes")
SEEN = ("first_seen", "last_seen")

# Kinds of edges one may want to leave out: a test of the edge and the nodes at its ends. graph/between knows the same.
Test = Callable[[Mapping[str, Any], Mapping[str, Any], Mapping[str, Any]], bool]
KINDS: dict[str, Test] = {
    "dns": lambda edge, source, target: edge["port"] == 53,
    "nodes": lambda edge, source, target: "node" in (source["kind"], target["kind"]),
    "outside": lambda edge, source, target: bool(source["outside"] or target["outside"]),
    "working": lambda edge, source, target: not edge["failed"],
}

# Identifier and attributes.
Node = tuple[str, dict[str, Any]]

PROTOCOLS = {
    1: "ICMP",
    2: "IGMP",
    4: "IPIP",
    6: "TCP",
    17: "UDP",
    41: "IPv6",
    47: "GRE",
    50: "ESP",
    51: "AH",
    58: "ICMPv6",
    89: "OSPF",
    103: "PIM",
    112: "VRRP",
    132: "SCTP",
}


def service_graph(
    lake: Lake,
    since: datetime | None = None,
    until: datetime | None = None,
    namespace: str | None = None,
    workload: str | None = None,
    cluster: str | None = None,
) -> nx.MultiDiGraph:
    """Edges of [since, until) that touch the namespace and the workload. ``graph["truncated"]``: there were more."""
    window = {"since": since, "until": until, "cluster": cluster}
    parameters = {**window, "namespace": namespace, "workload": workload}
    answer = ask(lake, "graph/edges", parameters, limit=MOST_EDGES, timeout_s=TIMEOUT_S)
    return graph_of(answer.table, answer.truncated)


def graph_of(
    edges: pa.Table,
    truncated: bool = False,
    apart: Sequence[str] = (),
    sums: Sequence[str] = SUMS,
    key: Sequence[str] = KEY,
) -> nx.MultiDiGraph:
    """One node for each workload, cluster node, or name outside; one edge for each protocol and port.

    ``apart`` are columns of text beyond ``EDGES``: edges that differ in them stay two. Edges that count something else
    have other ``sums``, of which the first is how many they stand for, and perhaps no protocol and port as ``key``.
    """
    graph = nx.MultiDiGraph(truncated=truncated, apart=tuple(apart), sums=tuple(sums))
    attributes = [*key, *sums, *SEEN, *apart]
    for row in edges.to_pylist():
        ends = [_node(*(row[f"{end}_{name}"] for name in NODE)) for end in ENDS]
        for identifier, data in ends:
            graph.add_node(identifier, **data)
        _add(graph, ends[0][0], ends[1][0], {name: row[name] for name in attributes})
    return graph


def node_id(kind: str | None, namespace: str | None, workload_kind: str | None, name: str | None) -> str:
    """Of the node that stands for it."""
    return "/".join(quote(part or "", safe="") for part in (kind, namespace, workload_kind, name))


def without(graph: nx.MultiDiGraph, kinds: Iterable[str]) -> nx.MultiDiGraph:
    """Leave out some kinds of edges (see ``KINDS``), and the nodes that have no other."""
    kept = nx.MultiDiGraph(**graph.graph)
    tests = [KINDS[kind] for kind in kinds]
    for source, target, key, data in graph.edges(keys=True, data=True):
        ends = graph.nodes[source], graph.nodes[target]
        if not any(test(data, *ends) for test in tests):
            kept.add_nodes_from(((source, ends[0]), (target, ends[1])))
            kept.add_edge(source, target, key, **data)
    return kept


def folded(
    graph: nx.MultiDiGraph, outside: int = MOST_OUTSIDE, nodes: int = MOST_NODES, whole: str | None = None
) -> nx.MultiDiGraph:
    """The same traffic with few enough nodes to be drawn; the namespace ``whole`` keeps its workloads."""
    quiet = _quietest_outside(graph, outside)
    if quiet:
        graph = merged(graph, lambda node: _rest(graph.nodes[node], quiet) if node in quiet else None)
    if len(graph) > nodes:
        graph = merged(graph, lambda node: _namespace(graph.nodes[node], whole))
    return graph


def merged(graph: nx.MultiDiGraph, representative: Callable[[str], Node | None]) -> nx.MultiDiGraph:
    """The same edges between fewer nodes: of each the one that stands for it, or itself."""
    fewer = nx.MultiDiGraph(**graph.graph)
    into = {node: representative(node) or (node, graph.nodes[node]) for node in graph}
    for identifier, data in into.values():
        fewer.add_node(identifier, **data)
    for source, target, data in graph.edges(data=True):
        _add(fewer, into[source][0], into[target][0], data)
    return fewer


def protocol_name(protocol: int, port: int | None) -> str:
    name = PROTOCOLS.get(protocol, f"protocol {protocol}")
    return name if port is None else f"{name} {port}"


def label_of(graph: nx.MultiDiGraph, node: str) -> str:
    """The name with its namespace, where it has one."""
    data = graph.nodes[node]
    return "/".join(part for part in (data["namespace"], data["label"]) if part)


def edge_key(row: Mapping[str, Any], apart: Sequence[str] = ()) -> str:
    """What an edge is called among those between the same two nodes."""
    told = (*(row.get(name) for name in KEY), *(row[name] for name in apart))
    return "/".join("" if part is None else quote(str(part), safe="") for part in told)


def _node(kind: str | None, namespace: str | None, workload_kind: str | None, name: str | None) -> Node:
    outside = kind in (None, "external")
    group, title = _group(kind, namespace)
    return node_id(kind, namespace, workload_kind, name), {
        "kind": kind,
        "namespace": namespace,
        "workload_kind": workload_kind,
        "name": name,
        "label": name or "unknown",
        "group": group,
        "group_label": title,
        "outside": outside,
    }


def _group(kind: str | None, namespace: str | None) -> tuple[str, str]:
    if kind is None:
        return "unknown", "unknown addresses"
    if kind == "external":
        return "external", "outside the cluster"
    if kind == SEVERAL:
        return SEVERAL, "several namespaces"
    if namespace is None:
        return "nodes", "cluster nodes"
    return f"namespace/{quote(namespace, safe='')}", namespace


def _add(graph: nx.MultiDiGraph, source: str, target: str, row: Mapping[str, Any]) -> None:
    key = edge_key(row, graph.graph.get("apart", ()))
    if not graph.has_edge(source, target, key):
        graph.add_edge(source, target, key, **row)
        return
    sums = graph.edges[source, target, key]
    for name in graph.graph.get("sums", SUMS):
        sums[name] += row[name]
    for name, choose in zip(SEEN, (min, max), strict=True):
        sums[name] = choose(filter(None, (sums[name], row[name])), default=None)


def _quietest_outside(graph: nx.MultiDiGraph, most: int) -> set[str]:
    counted = dict(graph.degree(weight=graph.graph.get("sums", SUMS)[0]))
    quiet: set[str] = set()
    for kind in (None, "external"):
        nodes = [node for node, data in graph.nodes(data=True) if data["kind"] == kind]
        if len(nodes) > most:
            quiet.update(sorted(nodes, key=lambda node: (-counted[node], node))[most - 1 :])
    return quiet


def _rest(data: Mapping[str, Any], quiet: Iterable[str]) -> Node:
    kind = data["kind"]
    prefix = f"{kind or ''}/"
    count = sum(1 for node in quiet if node.startswith(prefix))
    return f"rest/{kind or 'unknown'}", {**data, "name": None, "label": f"{count} others"}


def _namespace(data: Mapping[str, Any], whole: str | None) -> Node | None:
    if data["outside"] or (whole is not None and data["namespace"] == whole):
        return None
    title = data["group_label"]
    return f"group/{data['group']}", {
        **data,
        "workload_kind": None,
        "name": None,
        "label": title,
        "group": "groups",
        "group_label": "namespaces",
        "kind": "namespace",
    }
