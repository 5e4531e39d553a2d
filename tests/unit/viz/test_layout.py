"""The picture of the service graph: no overlaps, always the same, edges beside the cards."""

from itertools import combinations, pairwise
from random import Random

import networkx as nx
import pytest

from analysis.arcs import bends
from analysis.layout import CARD_HEIGHT, PADDING, Layout, place

ASIDE = frozenset({"external"})


def made_up(groups: int, nodes: int, edges: int) -> nx.MultiDiGraph:
    random = Random(groups * 1000 + nodes)
    graph = nx.MultiDiGraph()
    names = [f"n{number}" for number in range(nodes)]
    for number, name in enumerate(names):
        group = "external" if number % (groups + 1) == groups else f"g{number % (groups + 1)}"
        graph.add_node(name, group=group, label=name * random.randint(1, 12))
    for _ in range(edges):
        graph.add_edge(random.choice(names), random.choice(names))
    return graph


def card(layout: Layout, node: str) -> tuple[float, float, float, float]:
    (x, y), width = layout.positions[node], layout.widths[node]
    return x - width / 2, y - CARD_HEIGHT / 2, x + width / 2, y + CARD_HEIGHT / 2


def apart(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]


@pytest.mark.parametrize(("groups", "nodes", "edges"), [(1, 1, 0), (1, 3, 4), (3, 20, 60), (8, 150, 400), (30, 31, 90)])
def test_boxes_and_cards_do_not_overlap(groups: int, nodes: int, edges: int) -> None:
    graph = made_up(groups, nodes, edges)
    layout = place(graph, ASIDE)
    corners = {group: (b.x, b.y, b.x + b.width, b.y + b.height) for group, b in layout.boxes.items()}
    assert all(apart(one, other) for one, other in combinations(corners.values(), 2))
    assert all(apart(card(layout, one), card(layout, other)) for one, other in combinations(graph, 2))
    for node, group in graph.nodes(data="group"):
        left, top, right, bottom = corners[group]
        x1, y1, x2, y2 = card(layout, node)
        assert left + PADDING <= x1 + 1e-6
        assert x2 <= right - PADDING + 1e-6
        assert top < y1
        assert y2 < bottom


def test_the_same_graph_gives_the_same_picture_whatever_the_order() -> None:
    graph = made_up(5, 40, 90)
    turned = nx.MultiDiGraph()
    turned.add_nodes_from(reversed(list(graph.nodes(data=True))))
    turned.add_edges_from(reversed(list(graph.edges())))
    assert place(graph, ASIDE) == place(turned, ASIDE)


def test_what_stands_aside_is_right_of_everything_else() -> None:
    boxes = place(made_up(4, 30, 80), ASIDE).boxes
    assert all(box.x + box.width < boxes["external"].x for group, box in boxes.items() if group != "external")


def test_an_empty_graph_has_an_empty_picture() -> None:
    assert place(nx.MultiDiGraph(), ASIDE) == Layout({}, {}, {})


def test_an_edge_bends_around_a_card_in_its_way() -> None:
    layout = Layout({"a": (0.0, 0.0), "b": (400.0, 0.0), "c": (200.0, 10.0)}, dict.fromkeys("abc", 100.0), {})
    (around,) = bends(layout, [("a", "b")])
    assert abs(around) / 2 > CARD_HEIGHT / 2 - 10


def test_edges_between_the_same_two_keep_apart() -> None:
    layout = Layout({"a": (0.0, 0.0), "b": (400.0, 0.0)}, {"a": 100.0, "b": 100.0}, {})
    found = sorted(bends(layout, [("a", "b"), ("a", "b"), ("a", "b")]))
    assert all(other - one > 16 for one, other in pairwise(found))


def test_a_loop_has_a_bend() -> None:
    assert bends(Layout({"a": (0.0, 0.0)}, {"a": 100.0}, {}), [("a", "a")]) != [0.0]
