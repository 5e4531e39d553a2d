"""How far each edge of a laid-out graph bends, so that it passes beside the cards and labels do not meet."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from analysis.layout import CARD_HEIGHT, Layout

# Bends that are tried, as shares of the length; the first that meets nothing is taken.
SHARES = (0.08, -0.08, 0.16, -0.16, 0.26, -0.26, 0.38)
LEAST_BEND = 14.0
MARGIN = 5.0
STEPS = np.linspace(0.04, 0.96, 24)
LABEL = np.array([96.0, 16.0])
# Against one point of an arc behind a card.
LABEL_COST, BEND_COST = 12.0, 2.0

MIDDLE = np.array([0.5])

# How far the control points of a wave are from its ends, as a share of its width.
REACH = 0.45
Wave = tuple[tuple[float, float], tuple[float, float]]

Floats = NDArray[np.float64]


def bends(layout: Layout, pairs: Sequence[tuple[str, str]]) -> list[float]:
    """For each edge the distance of its control point from the straight line (a quadratic Bézier curve)."""
    nodes = list(layout.positions)
    index = {node: number for number, node in enumerate(nodes)}
    centres = np.array([layout.positions[node] for node in nodes]).reshape(-1, 2)
    halves = np.array([(layout.widths[node] / 2 + MARGIN, CARD_HEIGHT / 2 + MARGIN) for node in nodes]).reshape(-1, 2)
    labels = np.empty((len(pairs), 2))
    found = []
    for number, (source, target) in enumerate(pairs):
        ends = [index[source], index[target]]
        others = np.ones(len(nodes), bool)
        others[ends] = False
        tried = _tried(centres[ends])
        middles = _arcs(centres[ends], tried, MIDDLE)[:, 0]
        costs = _costs(_arcs(centres[ends], tried, STEPS), middles, centres[others], halves[others], labels[:number])
        best = int(np.argmin(costs + BEND_COST * np.arange(len(tried))))
        labels[number] = middles[best]
        found.append(round(float(tried[best]), 1))
    return found


def _tried(ends: Floats) -> Floats:
    shares = np.array(SHARES)
    bends: Floats = np.sign(shares) * np.maximum(LEAST_BEND, np.abs(shares) * np.hypot(*(ends[1] - ends[0])))
    return bends


def _costs(arcs: Floats, middles: Floats, centres: Floats, halves: Floats, labels: Floats) -> Floats:
    """For each bend: points behind a card, and whether its label is on a card or on another label."""
    behind = _within(arcs.reshape(-1, 2), centres, halves).reshape(arcs.shape[:2]).sum(axis=1)
    beneath = _within(middles, centres, halves + LABEL / 2)
    costs: Floats = behind + LABEL_COST * (beneath + _within(middles, labels, LABEL))
    return costs


def _arcs(ends: Floats, bends: Floats, steps: Floats) -> Floats:
    """Points of each bend at each step."""
    start, end = ends
    along = end - start
    across = np.array([-along[1], along[0]]) / (float(np.hypot(*along)) or 1.0)
    control = ((start + end) / 2 + bends[:, None] * across)[:, None]
    t = steps[None, :, None]
    arcs: Floats = (1 - t) ** 2 * start + 2 * t * (1 - t) * control + t**2 * end
    return arcs


def _within(points: Floats, centres: Floats, halves: Floats) -> NDArray[np.int64]:
    """In how many of the rectangles each point lies."""
    inside = np.abs(points[:, None, 0] - centres[None, :, 0]) < halves[..., 0]
    inside &= np.abs(points[:, None, 1] - centres[None, :, 1]) < halves[..., 1]
    counts: NDArray[np.int64] = np.count_nonzero(inside, axis=1)
    return counts


def waves(layout: Layout, pairs: Sequence[tuple[str, str]]) -> list[Wave | None]:
    """Of edges that run to the right an S from side to side of the cards; None of the others.

    A wave is the two control points, each by how far along the straight line it is, and how far from it: they lie level
    with the ends, so that the edge leaves and arrives horizontally.
    """
    return [_wave(layout, source, target) for source, target in pairs]


def _wave(layout: Layout, source: str, target: str) -> Wave | None:
    (x, y), (to_x, to_y) = layout.positions[source], layout.positions[target]
    width = to_x - layout.widths[target] / 2 - x - layout.widths[source] / 2
    if width <= 0:
        return None
    height = to_y - y
    length = width**2 + height**2
    along, aside = REACH * width**2 / length, -REACH * width * height / length**0.5
    return (along, 1 - along), (round(aside, 1), round(-aside, 1))
