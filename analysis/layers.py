"""Where a graph is drawn that runs in layers, from left to right: each is a column of boxes as ``analysis.layout`` has them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from math import ceil

import networkx as nx

from analysis.layout import CARD_HEIGHT, HEADING, PADDING, Box, Layout, card_width

# Edges leave a layer for the next: between the cards of one box there is no arrow to make room for.
CARD_GAP_X, CARD_GAP_Y = 26.0, 14.0
BOX_GAP = 30.0
# Room for the edges to turn.
LAYER_GAP = 240.0
# Width to height of the canvas on a common screen.
ASPECT = 1.75
# More columns of cards in a box hide where edges begin, which is worth a somewhat smaller picture.
COLUMN_COST = 0.4
MOST_COLUMNS = 4
SWEEPS = 4

Columns = Sequence[Sequence[str]]


def place_in_layers(graph: nx.MultiDiGraph) -> Layout:
    """Lay out by the node attributes ``layer``, ``group`` and ``label``; a group is of one layer.

    The first layer, which has the most cards, may have several columns of them.
    """
    layers = _ordered(graph)
    tried = {columns: _placed(graph, layers, columns) for columns in range(1, MOST_COLUMNS + 1)}

    def cost(columns: int) -> float:
        width, height = _extent(tried[columns].boxes)
        return max(width, height * ASPECT) * (1 + COLUMN_COST * (columns - 1))

    return tried[min(tried, key=cost)]


def _extent(boxes: Mapping[str, Box]) -> tuple[float, float]:
    right = max((box.x + box.width for box in boxes.values()), default=0.0)
    top = min((box.y for box in boxes.values()), default=0.0)
    return right, max((box.y + box.height for box in boxes.values()), default=0.0) - top


def _ordered(graph: nx.MultiDiGraph) -> list[dict[str, list[str]]]:
    """Of each layer its groups with their nodes, in an order in which few edges cross: everything near what it is joined to."""
    heights = {node: float(rank) for rank, node in enumerate(sorted(graph))}
    layers: list[dict[str, list[str]]] = []
    for _ in range(SWEEPS):
        layers = [_sorted(graph, layer, heights) for layer in sorted({layer for _, layer in graph.nodes(data="layer")})]
        for groups in layers:
            order = [node for nodes in groups.values() for node in nodes]
            heights |= {node: (rank + 0.5) / len(order) for rank, node in enumerate(order)}
    return layers


def _sorted(graph: nx.MultiDiGraph, layer: int, heights: Mapping[str, float]) -> dict[str, list[str]]:
    pulls = {node: _pull(graph, node, heights) for node, own in graph.nodes(data="layer") if own == layer}
    groups: dict[str, list[str]] = defaultdict(list)
    for node in sorted(pulls, key=lambda node: (pulls[node], node)):
        groups[graph.nodes[node]["group"]].append(node)
    means = {group: sum(pulls[node] for node in nodes) / len(nodes) for group, nodes in groups.items()}
    return {group: groups[group] for group in sorted(groups, key=lambda group: (means[group], group))}


def _pull(graph: nx.MultiDiGraph, node: str, heights: Mapping[str, float]) -> float:
    joined = sorted({*graph.successors(node), *graph.predecessors(node)} - {node}) or [node]
    return sum(heights[other] for other in joined) / len(joined)


def _placed(graph: nx.MultiDiGraph, layers: Sequence[Mapping[str, Sequence[str]]], columns: int) -> Layout:
    layout = Layout({}, {}, {})
    left = 0.0
    for layer, groups in enumerate(layers):
        nodes = [node for members in groups.values() for node in members]
        card = max(card_width(graph.nodes[node]["label"]) for node in nodes)
        layout.widths.update(dict.fromkeys(nodes, card))
        left += _column(layout, groups, (1 if layer else columns, card), left) + LAYER_GAP
    return layout


def _column(layout: Layout, groups: Mapping[str, Sequence[str]], cells: tuple[int, float], left: float) -> float:
    """Put the boxes of a layer below each other, around the middle; its width."""
    across = min(cells[0], max(map(len, groups.values())))
    width = across * (cells[1] + CARD_GAP_X) - CARD_GAP_X + 2 * PADDING
    heights = {group: _height(ceil(len(nodes) / across)) for group, nodes in groups.items()}
    top = -(sum(heights.values()) + BOX_GAP * (len(heights) - 1)) / 2
    for group, nodes in groups.items():
        box = layout.boxes[group] = Box(left, top, width, heights[group])
        for index, node in enumerate(nodes):
            row, column = divmod(index, across)
            x = box.x + PADDING + cells[1] / 2 + column * (cells[1] + CARD_GAP_X)
            y = box.y + PADDING + HEADING + CARD_HEIGHT / 2 + row * (CARD_HEIGHT + CARD_GAP_Y)
            layout.positions[node] = (x, y)
        top += box.height + BOX_GAP
    return width


def _height(rows: int) -> float:
    return rows * (CARD_HEIGHT + CARD_GAP_Y) - CARD_GAP_Y + 2 * PADDING + HEADING
