"""A laid-out service graph as what the component draws: only numbers, flags and plain text."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import sqrt
from typing import Any

import networkx as nx

from analysis.arcs import bends, waves
from analysis.graph import SEVERAL, label_of, protocol_name
from analysis.layout import CARD_HEIGHT, HEADING, PADDING, Layout
from viz.humane import instant, of, share, size
from viz.plain import visible

# Far from red and orange, which say that connections failed.
HUES = (212, 168, 268, 96, 190, 312, 240, 140, 60, 290)
ICONS = {
    "Deployment": "deployment",
    "ReplicaSet": "deployment",
    "StatefulSet": "statefulset",
    "DaemonSet": "daemonset",
    "Job": "job",
    "CronJob": "job",
    "Service": "service",
    "Node": "node",
    SEVERAL: "namespace",
}
# Of more edges between the same two, in one direction, one line is drawn.
MOST_PARALLEL = 3

Element = dict[str, Any]
Drawing = dict[str, list[Element]]
# How a line or frame looks, and what that says.
Legend = Sequence[tuple[str, str]]
Node = tuple[str]
Edge = tuple[str, str, str]
Row = dict[str, Any]


@dataclass(frozen=True)
class Telling:
    """What is told of edges: the columns of how many they stand for and of what makes them wide, and words for several of them."""

    counted: str
    weight: str
    label: Callable[[Sequence[Row]], str]
    notes: Callable[[Sequence[Row]], list[str]]
    sums: Callable[[Sequence[Row]], str]
    # The layout runs from left to right, and so do its edges.
    flowing: bool = False


def drawing(graph: nx.MultiDiGraph, layout: Layout, telling: Telling | None = None) -> Drawing:
    """Of traffic, if not told otherwise."""
    telling = telling or TRAFFIC
    hues = _hues(graph)
    return {
        "groups": [_group(graph, layout, group, hues.get(group)) for group in sorted(layout.boxes)],
        "nodes": [_node(graph, layout, node, hues, telling) for node in sorted(graph)],
        "edges": list(_edges(graph, layout, telling)),
    }


def node_id(node: str) -> str:
    return f"node {node}"


def edge_id(source: str, target: str, key: str) -> str:
    """``key`` is the state alone, or empty without states, for the one line that stands for many ports."""
    return f"edge {source} {target} {key}"


def rows_of(graph: nx.MultiDiGraph, line: Edge) -> list[Row]:
    """The edges that a line stands for."""
    return [graph.edges[line[0], line[1], key] for key in keys_of(graph, line)]


def keys_of(graph: nx.MultiDiGraph, line: Edge) -> list[str]:
    source, target, key = line
    between: dict[str, Row] = graph.get_edge_data(source, target) or {}
    return [key] if key in between else [other for other, row in between.items() if (row.get("state") or "") == key]


def chosen(graph: nx.MultiDiGraph, identifier: object) -> Node | Edge | None:
    """The node, or the source, target and key, behind an id that came back from the browser; None if there is none."""
    if not isinstance(identifier, str):
        return None
    kind, *parts = identifier.split(" ")
    if kind == "node" and len(parts) == 1 and graph.has_node(parts[0]):
        return (parts[0],)
    if kind != "edge" or len(parts) != 3:
        return None
    line = (parts[0], parts[1], parts[2])
    return line if rows_of(graph, line) else None


def _hues(graph: nx.MultiDiGraph) -> dict[str, int]:
    namespaces = sorted({data["group"] for _, data in graph.nodes(data=True) if not data["outside"]})
    return {group: HUES[index % len(HUES)] for index, group in enumerate(namespaces)}


def _group(graph: nx.MultiDiGraph, layout: Layout, group: str, hue: int | None) -> Element:
    box = layout.boxes[group]
    title = next(data["group_label"] for _, data in graph.nodes(data=True) if data["group"] == group)
    return {
        "id": f"group {group}",
        "label": visible(title),
        "hue": hue,
        "outside": hue is None,
        "padding": PADDING,
        "width": box.width - PADDING,
        "innerWidth": box.width - 2 * PADDING,
        "innerHeight": box.height - 2 * PADDING - 2,
        "heading": HEADING,
    }


def _node(graph: nx.MultiDiGraph, layout: Layout, node: str, hues: Mapping[str, int], telling: Telling) -> Element:
    data = graph.nodes[node]
    x, y = layout.positions[node]
    return {
        "id": node_id(node),
        "parent": f"group {data['group']}",
        "label": visible(data["label"]),
        "kind": data["kind"] or "unknown",
        "icon": ICONS.get(data["workload_kind"]) or ICONS.get(data["kind"], data["kind"] or "unknown"),
        "hue": hues.get(data["group"]),
        "x": x,
        "y": y,
        "width": layout.widths[node],
        "height": CARD_HEIGHT,
        "note": [visible(data["label"]), _kind(data), *_told(graph, node, telling)],
    }


def _kind(data: Mapping[str, Any]) -> str:
    if data["outside"]:
        return visible(data["group_label"])
    kind = visible(data["workload_kind"] or data["kind"])
    return f"{kind} in {visible(data['namespace'])}" if data["namespace"] else kind


def _told(graph: nx.MultiDiGraph, node: str, telling: Telling) -> list[str]:
    out = [data for *_, data in graph.out_edges(node, data=True)]
    into = [data for *_, data in graph.in_edges(node, data=True)]
    return [f"{name}: {telling.sums(edges)}" for name, edges in (("asks", out), ("answers", into)) if edges]


def _sums(rows: Sequence[Row]) -> str:
    connections, failed = sum(row["connections"] for row in rows), sum(row["failed"] for row in rows)
    told = f"{of(connections, 'connection')}, {size(sum(row['bytes'] for row in rows))}"
    return told + (f", {share(failed, connections)} failed" if failed else "")


def _edges(graph: nx.MultiDiGraph, layout: Layout, telling: Telling) -> Iterable[Element]:
    pairs: dict[tuple[str, str], list[tuple[str, Row]]] = defaultdict(list)
    for source, target, key, data in sorted(graph.edges(keys=True, data=True), key=lambda edge: edge[:3]):
        pairs[source, target].append((key, data))
    most = max((data[telling.weight] for *_, data in graph.edges(data=True)), default=0)
    lines = [line for ends, edges in pairs.items() for line in _lines(ends, edges)]
    for (ends, rows), curve in zip(lines, _curves(layout, [ends[:2] for ends, _ in lines], telling), strict=True):
        width = _width(sum(row[telling.weight] for row in rows), most)
        yield _edge(graph, ends, rows, telling) | {"width": width} | curve


def _curves(layout: Layout, pairs: Sequence[tuple[str, str]], telling: Telling) -> list[Element]:
    curves: list[Element] = [{"bend": bend} for bend in bends(layout, pairs)]
    if telling.flowing:
        for curve, wave in zip(curves, waves(layout, pairs), strict=True):
            curve.update({"along": list(wave[0]), "aside": list(wave[1])} if wave else {})
    return curves


def _lines(ends: tuple[str, str], edges: list[tuple[str, Row]]) -> list[tuple[tuple[str, str, str], list[Row]]]:
    """The lines between two nodes, in one direction, with the edges each stands for: of one state, where there are any."""
    by_state: dict[str, list[tuple[str, Row]]] = defaultdict(list)
    for key, data in edges:
        by_state[data.get("state") or ""].append((key, data))
    lines: list[tuple[tuple[str, str, str], list[Row]]] = []
    for state, alike in by_state.items():
        if len(alike) > MOST_PARALLEL:
            lines.append(((*ends, state), [data for _, data in alike]))
        else:
            lines += [((*ends, key), [data]) for key, data in alike]
    return lines


def _width(total: int, most: int) -> float:
    """Between proportion, which hides the small ones, and logarithm, which makes all look alike."""
    return 1.3 + 5.2 * sqrt(total / max(most, total, 1))


def _edge(graph: nx.MultiDiGraph, ends: Edge, rows: list[Row], telling: Telling) -> Element:
    source, target, key = ends
    counted, failed = sum(row[telling.counted] for row in rows), sum(row["failed"] for row in rows)
    return {
        "id": edge_id(source, target, key),
        "source": node_id(source),
        "target": node_id(target),
        "label": telling.label(rows),
        "failedShare": failed / counted if counted else 0,
        "state": rows[0].get("state"),
        "note": [
            f"{visible(label_of(graph, source))} → {visible(label_of(graph, target))}",
            *telling.notes(rows),
            _seen(rows),
        ],
    }


def _label(rows: Sequence[Row]) -> str:
    port = ports_told(rows)
    return f"{port} · {size(sum(row['bytes'] for row in rows))}" if _times(rows) else port


def _notes(rows: Sequence[Row]) -> list[str]:
    port = ports_told(rows)
    return [f"{port} · {_sums(rows)}" if _times(rows) else port]


def _seen(rows: Sequence[Row]) -> str:
    times = _times(rows)
    return f"{instant(min(times))} to {instant(max(times))} UTC" if times else "never used"


def _times(rows: Sequence[Row]) -> list[datetime]:
    return [row[name] for row in rows for name in ("first_seen", "last_seen") if row[name]]


def ports_told(rows: Sequence[Row]) -> str:
    """Of one line."""
    if len(rows) > 1:
        return of(len(rows), "port")
    return rows[0].get("ports") or protocol_name(rows[0]["protocol"], rows[0]["port"])


TRAFFIC = Telling("connections", "bytes", _label, _notes, _sums)
