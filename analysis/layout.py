"""Where the service graph is drawn: groups as boxes that never overlap, their members on a grid inside.

Lengths are in pixels at zoom 1. The same graph always gets the same picture.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, dist, sqrt
from typing import NamedTuple

import networkx as nx

CARD_HEIGHT = 36.0
CARD_WIDTHS = (96.0, 210.0)
LETTER = 7.2
CARD_TRIM = 44.0
# Between cards there is room for an arrow with its label.
GAP_X, GAP_Y = 62.0, 34.0
PADDING = 18.0
HEADING = 26.0
BOX_GAP = 72.0
# Width to height of the canvas on a common screen.
ASPECT = 1.75
# A spring layout of more groups needs scipy; a swap over more members takes seconds. Beyond, plain order serves.
MOST_SPRUNG_GROUPS = 400
MOST_SWAPPED_MEMBERS = 40
SWEEPS = 4
MOST_ASIDE_COLUMNS = 3

Point = tuple[float, float]


class Box(NamedTuple):
    """``x`` and ``y`` are the top left corner."""

    x: float
    y: float
    width: float
    height: float

    @property
    def centre(self) -> Point:
        return self.x + self.width / 2, self.y + self.height / 2


@dataclass(frozen=True)
class Layout:
    """``positions`` are the centres of the cards, ``widths`` their widths."""

    positions: dict[str, Point]
    widths: dict[str, float]
    boxes: dict[str, Box]


@dataclass(frozen=True)
class _Cells:
    """The grid inside one box."""

    columns: int
    rows: int
    card_width: float

    @property
    def width(self) -> float:
        return self.columns * (self.card_width + GAP_X) - GAP_X + 2 * PADDING

    @property
    def height(self) -> float:
        return self.rows * (CARD_HEIGHT + GAP_Y) - GAP_Y + 2 * PADDING + HEADING

    def point(self, index: int, box: Box) -> Point:
        row, column = divmod(index, self.columns)
        return (
            box.x + PADDING + self.card_width / 2 + column * (self.card_width + GAP_X),
            box.y + PADDING + HEADING + CARD_HEIGHT / 2 + row * (CARD_HEIGHT + GAP_Y),
        )


def place(graph: nx.MultiDiGraph, aside: frozenset[str] = frozenset()) -> Layout:
    """Lay out by the node attributes ``group`` and ``label``; the groups in ``aside`` stand in a column at the right."""
    members: dict[str, list[str]] = defaultdict(list)
    for node in sorted(graph):
        members[graph.nodes[node]["group"]].append(node)
    widths = {node: card_width(graph.nodes[node]["label"]) for node in graph}
    inside = {group: _cells(nodes, widths) for group, nodes in members.items() if group not in aside}
    beside = [_column(members, widths, aside, columns) for columns in range(1, MOST_ASIDE_COLUMNS + 1)]
    boxes, cells = _largest(_sprung(graph, sorted(inside), sorted(members.keys() & aside)), inside, beside)
    return Layout(_members(_neighbours(graph), members, cells, boxes), widths, boxes)


def card_width(label: str) -> float:
    least, most = CARD_WIDTHS
    return min(most, max(least, LETTER * len(label) + CARD_TRIM))


def _cells(nodes: Sequence[str], widths: Mapping[str, float], columns: int | None = None) -> _Cells:
    columns = min(len(nodes), columns or max(1, round(sqrt(len(nodes) * 0.7))))
    return _Cells(columns, ceil(len(nodes) / columns), max(widths[node] for node in nodes))


def _column(
    members: Mapping[str, Sequence[str]], widths: Mapping[str, float], aside: frozenset[str], columns: int
) -> dict[str, _Cells]:
    return {group: _cells(members[group], widths, columns) for group in sorted(aside) if group in members}


def _largest(
    sprung: Mapping[str, Point], inside: Mapping[str, _Cells], beside: Sequence[Mapping[str, _Cells]]
) -> tuple[dict[str, Box], dict[str, _Cells]]:
    """Of all numbers of rows, and of columns aside, those that let the picture be shown largest."""
    rows = [_rows(sprung, count) for count in range(1, len(sprung) + 1)] or [[]]
    candidates = [({**inside, **column}, _boxes(shelves, inside, column)) for shelves in rows for column in beside]

    def shrinking(candidate: tuple[dict[str, _Cells], dict[str, Box]]) -> float:
        width, height = _extent(candidate[1])
        return max(width, height * ASPECT)

    cells, boxes = min(candidates, key=shrinking)
    return boxes, cells


def _boxes(rows: Sequence[Sequence[str]], inside: Mapping[str, _Cells], column: Mapping[str, _Cells]) -> dict[str, Box]:
    boxes = _shelves(rows, inside)
    right = max((box.x + box.width + BOX_GAP for box in boxes.values()), default=0.0)
    stack = sum(cell.height + BOX_GAP for cell in column.values()) - BOX_GAP
    top = (_extent(boxes)[1] - stack) / 2
    for group, cell in column.items():
        boxes[group] = Box(right, top, cell.width, cell.height)
        top += cell.height + BOX_GAP
    return boxes


def _sprung(graph: nx.MultiDiGraph, groups: Sequence[str], aside: Sequence[str]) -> dict[str, Point]:
    """Groups that talk much stand near each other, and near the column at the right those that talk to it."""
    between = _between(graph)
    if len(between) > MOST_SPRUNG_GROUPS:
        return {group: (0.0, float(index)) for index, group in enumerate(sorted(groups))}
    anchors = {group: (2.0, 0.5) for group in aside}
    sprung = nx.spring_layout(between, pos=anchors or None, fixed=list(anchors) or None, seed=1, iterations=100)
    return {group: (float(sprung[group][0]), float(sprung[group][1])) for group in groups}


def _between(graph: nx.MultiDiGraph) -> nx.Graph:
    """The graph of the groups, weighted by the edges between them."""
    between = nx.Graph()
    between.add_nodes_from(sorted({group for _, group in graph.nodes(data="group")}))
    for source, target in sorted(graph.edges(keys=False)):
        one, other = graph.nodes[source]["group"], graph.nodes[target]["group"]
        if one != other:
            weight = between.edges[one, other]["weight"] if between.has_edge(one, other) else 0
            between.add_edge(one, other, weight=weight + 1)
    return between


def _rows(sprung: Mapping[str, Point], count: int) -> list[list[str]]:
    falling = sorted(sprung, key=lambda group: (sprung[group][1], group))
    size = ceil(len(falling) / count)
    rows = [falling[start : start + size] for start in range(0, len(falling), size)]
    return [sorted(row, key=lambda group: (sprung[group][0], group)) for row in rows]


def _shelves(rows: Sequence[Sequence[str]], cells: Mapping[str, _Cells]) -> dict[str, Box]:
    lengths = [sum(cells[group].width + BOX_GAP for group in row) - BOX_GAP for row in rows]
    boxes = {}
    top = 0.0
    for row, length in zip(rows, lengths, strict=True):
        left = (max(lengths) - length) / 2
        height = max(cells[group].height for group in row)
        for group in row:
            cell = cells[group]
            boxes[group] = Box(left, top + (height - cell.height) / 2, cell.width, cell.height)
            left += cell.width + BOX_GAP
        top += height + BOX_GAP
    return boxes


def _extent(boxes: Mapping[str, Box]) -> Point:
    """Width and height of all boxes together; a column aside may begin above the rest."""
    if not boxes:
        return 0.0, 0.0
    left, top = min(box.x for box in boxes.values()), min(box.y for box in boxes.values())
    right, bottom = max(box.x + box.width for box in boxes.values()), max(box.y + box.height for box in boxes.values())
    return right - left, bottom - top


def _neighbours(graph: nx.MultiDiGraph) -> dict[str, list[str]]:
    return {node: sorted({*graph.successors(node), *graph.predecessors(node)} - {node}) for node in graph}


def _members(
    neighbours: Mapping[str, Sequence[str]],
    members: Mapping[str, Sequence[str]],
    cells: Mapping[str, _Cells],
    boxes: Mapping[str, Box],
) -> dict[str, Point]:
    """Each member in the cell of its box that brings it near those it talks to."""
    positions = {node: boxes[group].centre for group, nodes in members.items() for node in nodes}
    for _ in range(SWEEPS):
        for group in sorted(members):
            points = [cells[group].point(index, boxes[group]) for index in range(len(members[group]))]
            order = _towards(members[group], neighbours, positions, cells[group].columns)
            positions.update(zip(order, points, strict=True))
            if len(order) <= MOST_SWAPPED_MEMBERS:
                _swap(order, neighbours, positions)
    return positions


def _towards(
    nodes: Sequence[str], neighbours: Mapping[str, Sequence[str]], positions: Mapping[str, Point], columns: int
) -> list[str]:
    """The members in reading order of where their neighbours pull them."""
    pull = {node: _mean([positions[other] for other in neighbours[node] or [node]]) for node in nodes}
    falling = sorted(nodes, key=lambda node: (pull[node][1], node))
    rows = (falling[start : start + columns] for start in range(0, len(falling), columns))
    return [node for row in rows for node in sorted(row, key=lambda node: (pull[node][0], node))]


def _mean(points: Sequence[Point]) -> Point:
    return sum(x for x, _ in points) / len(points), sum(y for _, y in points) / len(points)


def _swap(nodes: Sequence[str], neighbours: Mapping[str, Sequence[str]], positions: dict[str, Point]) -> None:
    """Exchange two members wherever that shortens their edges."""
    for one, other in _pairs(nodes):
        before = _length(one, neighbours, positions) + _length(other, neighbours, positions)
        positions[one], positions[other] = positions[other], positions[one]
        if _length(one, neighbours, positions) + _length(other, neighbours, positions) >= before - 1e-6:
            positions[one], positions[other] = positions[other], positions[one]


def _pairs(nodes: Sequence[str]) -> Iterator[tuple[str, str]]:
    return ((one, other) for index, one in enumerate(nodes) for other in nodes[index + 1 :])


def _length(node: str, neighbours: Mapping[str, Sequence[str]], positions: Mapping[str, Point]) -> float:
    return sum(dist(positions[node], positions[other]) for other in neighbours[node])
