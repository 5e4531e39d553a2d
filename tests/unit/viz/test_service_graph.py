"""The service graph and its formats, with names as strangers choose them."""

import json
import re
from collections import Counter
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import networkx as nx
import pyarrow as pa
import pytest

from analysis.graph import EDGES, KINDS, NODE, folded, graph_of, service_graph, without
from analysis.graph_formats import as_graphml, as_json, as_mermaid, as_table
from analysis.layout import place
from analysis.questions import ask
from store.lake import Lake
from tests.support.lake import HOSTILE
from viz.graph.drawing import chosen, drawing, edge_id, node_id

EDGE = ("src_namespace", "src", "dst_namespace", "dst", "protocol", "port")
# What the table of the graph calls them.
COUNTED = {"src": "src_name", "dst": "dst_name"}
NOW = datetime(2026, 1, 1, tzinfo=UTC)
NAMES = (*HOSTILE, '"]; click n0 "javascript:alert(1)"', "a\nb|c`d", "x -->|y| z", "\ud800", "] ] >", "ünï/%2F", "")


def edge(src: tuple[str | None, ...], dst: tuple[str | None, ...], **row: Any) -> dict[str, Any]:
    names = [f"{end}_{name}" for end in ("src", "dst") for name in ("kind", "namespace", "workload_kind", "name")]
    default = {"protocol": 6, "port": 80, "connections": 10, "failed": 0, "bytes": 100}
    return dict(zip(names, (*src, *dst), strict=True)) | default | {"first_seen": NOW, "last_seen": NOW} | row


def pod(name: str, namespace: str = "shop") -> tuple[str | None, ...]:
    return "pod", namespace, "Deployment", name


def outside(name: str | None) -> tuple[str | None, ...]:
    return "external", None, None, name


def made(*rows: dict[str, Any]) -> nx.MultiDiGraph:
    return graph_of(pa.Table.from_pylist(rows, schema=EDGES))


@pytest.fixture
def hostile() -> nx.MultiDiGraph:
    # A lone surrogate cannot be in Arrow text; it tests the writers beneath.
    graph = made(*(edge(pod(name), outside(name)) for name in NAMES if name != "\ud800"))
    for _, data in graph.nodes(data=True):
        data["label"] = data["label"].replace("ünï", "\ud800")
    return graph


def test_the_graph_of_a_lake(lake: Lake) -> None:
    graph = service_graph(lake)
    assert graph.has_edge("pod/shop/Deployment/frontend", "pod/shop/Deployment/cart", "6/7070")
    assert graph.edges["pod/shop/Deployment/frontend", "pod/shop/Deployment/cart", "6/7070"]["connections"] > 0
    assert not graph.graph["truncated"]
    assert len(service_graph(lake, namespace="monitoring")) == 2


def test_names_never_meet_in_one_node() -> None:
    graph = made(edge(pod("b/c", "a"), pod("c", "a/b")), edge(pod("d", "a"), ("pod", "a", "StatefulSet", "d")))
    assert len(graph) == 4


def test_json_keeps_every_name(hostile: nx.MultiDiGraph) -> None:
    names = {node["name"] for node in json.loads(as_json(hostile))["nodes"]}
    assert names == {name for name in NAMES if name != "\ud800"}


def test_graphml_can_be_read_again(hostile: nx.MultiDiGraph) -> None:
    again = nx.read_graphml(BytesIO(as_graphml(hostile).encode()), force_multigraph=True)
    assert set(again) == set(hostile)
    assert again.number_of_edges() == hostile.number_of_edges()
    assert {data["name"] for _, data in again.nodes(data=True)} >= {HOSTILE[0], HOSTILE[3]}


def test_mermaid_has_no_character_of_a_name_that_means_something_to_it(hostile: nx.MultiDiGraph) -> None:
    head, *lines = as_mermaid(hostile).splitlines()
    assert head == "flowchart LR"
    box = re.compile(r'  n\d+\["(?:[\w ./:-]|#\d+;)*"\]')
    arrow = re.compile(r'  n\d+ -->\|"[\w ]+"\| n\d+')
    assert all(box.fullmatch(line) or arrow.fullmatch(line) for line in lines)


def test_the_table_has_the_busiest_edge_first(lake: Lake) -> None:
    table = as_table(service_graph(lake))
    assert table.schema == EDGES
    assert table["connections"].to_pylist() == sorted(table["connections"].to_pylist(), reverse=True)


def test_an_empty_graph_in_every_format() -> None:
    graph = made()
    assert as_table(graph).num_rows == 0
    assert json.loads(as_json(graph)) == {"nodes": [], "edges": []}
    assert as_mermaid(graph) == "flowchart LR\n"
    assert "graphml" in as_graphml(graph)


def test_many_addresses_outside_become_one_node_and_lose_no_connection() -> None:
    graph = made(*(edge(pod("a"), outside(f"198.51.100.{n}"), connections=n + 1) for n in range(100)))
    small = folded(graph, outside=10)
    assert len(small) == 11
    assert small.size("connections") == graph.size("connections")
    assert small.nodes["rest/external"]["label"] == "91 others"


def test_too_many_workloads_become_their_namespaces() -> None:
    graph = made(*(edge(pod(f"a{n}", f"ns{n % 3}"), pod(f"b{n}", "shop")) for n in range(50)))
    small = folded(graph, nodes=20)
    assert {data["label"] for _, data in small.nodes(data=True)} == {"ns0", "ns1", "ns2", "shop"}
    assert small.size("connections") == graph.size("connections")


def test_one_namespace_may_keep_its_workloads() -> None:
    graph = made(*(edge(pod(f"a{n}", f"ns{n % 3}"), pod(f"b{n}", "shop")) for n in range(50)))
    small = folded(graph, nodes=20, whole="ns0")
    labels = {data["label"] for _, data in small.nodes(data=True)}
    assert labels == {*(f"a{n}" for n in range(0, 50, 3)), "ns1", "ns2", "shop"}
    assert small.size("connections") == graph.size("connections")


@pytest.mark.parametrize("kind", [None, *KINDS])
@pytest.mark.parametrize("chosen", [{}, {"namespace": "shop"}, {"workload": "cart"}])
def test_the_connections_behind_a_graph_are_those_it_counts(
    lake: Lake, kind: str | None, chosen: dict[str, str]
) -> None:
    left_out = [kind] if kind else []
    graph = without(service_graph(lake, **chosen), left_out)
    flags = {f"without_{name}": True for name in left_out}
    behind = ask(lake, "graph/between", chosen | flags).table.select(EDGE).to_pylist()
    counted: Counter[tuple[Any, ...]] = Counter()
    for row in as_table(graph).to_pylist():
        counted[tuple(row[COUNTED.get(name, name)] for name in EDGE)] += row["connections"]
    assert Counter(tuple(row.values()) for row in behind) == counted


def test_a_node_and_an_edge_have_the_connections_they_count(lake: Lake) -> None:
    graph = service_graph(lake)
    source, target, key, data = max(graph.edges(keys=True, data=True), key=lambda edge: edge[3]["connections"])
    ends = {f"src_{name}": graph.nodes[source][name] for name in NODE}
    ends |= {f"dst_{name}": graph.nodes[target][name] for name in NODE}
    one = ask(lake, "graph/between", ends | {name: data[name] for name in ("protocol", "port")}).table
    assert one.num_rows == data["connections"]
    for node in (source, target):
        either = {f"either_{name}": graph.nodes[node][name] for name in NODE}
        touching = {*graph.in_edges(node, keys=True), *graph.out_edges(node, keys=True)}
        total = sum(graph.edges[edge]["connections"] for edge in touching)
        assert ask(lake, "graph/between", either).table.num_rows == total


def test_leaving_out_takes_the_lonely_nodes_too() -> None:
    graph = made(edge(pod("a"), pod("dns"), port=53), edge(pod("a"), outside("x")), edge(pod("a"), pod("b"), failed=1))
    assert sorted(name for _, name in without(graph, ["dns", "outside"]).nodes(data="name")) == ["a", "b"]
    assert without(graph, ["working"]).number_of_edges() == 1
    assert without(graph, []).number_of_edges() == 3


def test_a_drawing_is_text_and_numbers_and_its_ids_come_back(hostile: nx.MultiDiGraph) -> None:
    drawn = json.loads(json.dumps(drawing(hostile, place(hostile))))
    ids = [element["id"] for elements in drawn.values() for element in elements]
    assert len(ids) == len(set(ids))
    assert all(chosen(hostile, element["id"]) for kind in ("nodes", "edges") for element in drawn[kind])
    labels = [element["label"] for element in drawn["nodes"]]
    assert not any("\u202e" in label or "\x1b" in label for label in labels)


def test_an_id_that_is_not_of_this_graph_is_no_choice(lake: Lake) -> None:
    graph = service_graph(lake)
    for strange in (
        None,
        7,
        {"a": 1},
        "",
        "node",
        "node x",
        "edge a b c",
        "edge a",
        node_id("x"),
        edge_id("a", "b", ""),
    ):
        assert chosen(graph, strange) is None


def test_a_scan_is_one_line() -> None:
    graph = made(*(edge(pod("a"), pod("b"), port=port) for port in range(1, 500)))
    (line,) = drawing(graph, place(graph))["edges"]
    assert line["label"].startswith("499 ports")
    assert chosen(graph, line["id"])
