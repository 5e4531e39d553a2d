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

Floats = NDArray[np.float64]


def bends(layout: Layout, pairs: Sequence[tuple[str, str]]) -> list[float]:
    """For each edge the distance of its control point from the straight line (a quadratic Bézier curve)."""
    nodes = list(layout.positions)
    index = {node: number for number, node in enumerate(nodes)}
    centres = np.array([layout.positions[node] for node in nodes]).reshape(-1, 2)
    halves = np.array([(layout.widths[node] / 2 + MARGIN, CARD_HEIGHT / 2 + MARGIN) for node in nodes]).reshape(-1, 2)
    labels: list[Floats] = []
    found = []
    for source, target in pairs:
        ends = index[source], index[target]
        others = np.delete(np.arange(len(nodes)), list(set(ends)))
        best = _best(centres[list(ends)], centres[others], halves[others], labels)
        labels.append(_arc(centres[list(ends)], best, np.array([0.5]))[0])
        found.append(round(best, 1))
    return found


def _best(ends: Floats, centres: Floats, halves: Floats, labels: Sequence[Floats]) -> float:
    length = float(np.hypot(*(ends[1] - ends[0])))
    tried = [np.sign(share) * max(LEAST_BEND, abs(share) * length) for share in SHARES]
    costs = [_cost(ends, bend, centres, halves, labels) + BEND_COST * rank for rank, bend in enumerate(tried)]
    return float(tried[int(np.argmin(costs))])


def _cost(ends: Floats, bend: float, centres: Floats, halves: Floats, labels: Sequence[Floats]) -> float:
    behind = _within(_arc(ends, bend, STEPS), centres, halves)
    middle = _arc(ends, bend, np.array([0.5]))
    beneath = _within(middle, centres, halves + LABEL / 2)
    meeting = _within(middle, np.array(labels), np.broadcast_to(LABEL, (len(labels), 2))) if labels else 0
    return behind + LABEL_COST * (beneath + meeting)


def _arc(ends: Floats, bend: float, steps: Floats) -> Floats:
    start, end = ends
    along = end - start
    length = float(np.hypot(*along)) or 1.0
    control = (start + end) / 2 + bend * np.array([-along[1], along[0]]) / length
    t = steps[:, None]
    arc: Floats = (1 - t) ** 2 * start + 2 * t * (1 - t) * control + t**2 * end
    return arc


def _within(points: Floats, centres: Floats, halves: Floats) -> int:
    return int(np.count_nonzero(np.all(np.abs(points[:, None] - centres[None]) < halves[None], axis=2)))
