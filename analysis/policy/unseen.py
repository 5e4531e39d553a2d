"""How much a window may not have shown: an estimate of the edges nobody saw yet, and when the known ones first came.

An edge is to a window what a species is to a survey. Seen in how many ticks: those seen in one or two tell how many were
seen in none (Chao2, bias-corrected; Chao 1987, Colwell et al. 2012), and the share of first sightings tells how likely the
next one is an edge that nobody knows (Good 1953). Both are lower bounds: what comes once a year leaves no trace.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analysis.policy import words
from analysis.policy.grouping import workload_edges
from analysis.policy.history import Window

NINETY_FIVE = 1.96
# Steps of the curve: the longest that a window has at least three of.
STEPS = ((timedelta(days=1), "day"), (timedelta(hours=1), "hour"), (timedelta(minutes=1), "minute"))
LEAST_STEPS = 3
MOST_STEPS = 400
# Of fewer ticks nothing can be said of how often an edge comes.
LEAST_TICKS = 10
MOST_TOLD = 31


@dataclass(frozen=True)
class Unseen:
    """``edges`` lie between ``least`` and ``most`` with 95 %; ``chance`` is that the next sighting is of one of them."""

    seen: int
    once: int
    ticks: int
    edges: float
    least: float
    most: float
    chance: float


@dataclass(frozen=True)
class Curve:
    """``new[i]`` edges were first seen in step ``i``; a window of more steps than MOST_STEPS has the last of them only."""

    step: str
    begins: Sequence[datetime]
    new: Sequence[int]


def estimate(sightings: Sequence[int], ticks: int) -> Unseen:
    """``sightings[i]`` is in how many of the window's ticks edge ``i`` was seen."""
    counts = np.asarray(sightings, np.int64)
    once, twice = int((counts == 1).sum()), int((counts == 2).sum())
    share = (ticks - 1) / ticks if ticks else 0.0
    missing = share * once * (once - 1) / (2 * (twice + 1))
    factor = _interval(missing, _variance(once, twice, share))
    chance = once / int(counts.sum()) if len(counts) else 1.0
    return Unseen(len(counts), once, ticks, missing, missing / factor, missing * factor, chance)


def _variance(once: int, twice: int, share: float) -> float:
    """Of the bias-corrected Chao2 (Colwell et al. 2012, equation 11 of its appendix)."""
    rest = twice + 1
    return (
        share * once * (once - 1) / (2 * rest)
        + share**2 * once * (2 * once - 1) ** 2 / (4 * rest**2)
        + share**2 * once**2 * twice * (once - 1) ** 2 / (4 * rest**4)
    )


def _interval(missing: float, variance: float) -> float:
    """The number of unseen edges is log-normal, so that its interval never goes below none (Chao 1987)."""
    if missing == 0:
        return 1.0
    return math.exp(NINETY_FIVE * math.sqrt(math.log1p(variance / missing**2)))


def unseen(rows: pa.Table, window: Window) -> Unseen:
    """``rows`` of a history."""
    ticks = rows["ticks"].combine_chunks()
    edges = workload_edges(rows).take(pc.list_parent_indices(ticks))
    sighted = pa.table({"edge": edges, "tick": pc.list_flatten(ticks)}).group_by(["edge", "tick"]).aggregate([])
    counts = sighted.group_by("edge").aggregate([("tick", "count")])["tick_count"]
    length = (window.until - window.since).total_seconds()
    return estimate(counts.to_pylist(), max(1, math.ceil(length / window.tick_s)))


def told(rows: pa.Table, window: Window) -> Iterator[str]:
    found, new = unseen(rows, window), curve(rows, window)
    if found.ticks < LEAST_TICKS:
        yield "The time is too short to estimate how many edges it did not show."
    elif found.edges < 0.5:
        yield f"Of {words.counted(found.seen, 'edge')} none came so rarely that more of its kind have to be expected."
    else:
        yield (
            f"About {words.counted(round(found.edges), 'edge')} more exist that this time did not show (95 %: "
            f"{found.least:,.0f} to {found.most:,.0f}; Chao2), and {found.chance:.1%} of the sightings were of an edge's only one."
        )
    shown = ", ".join(f"{count:,}" for count in new.new[-MOST_TOLD:])
    more = "…, " if len(new.new) > MOST_TOLD else ""
    yield f"New edges by {new.step}: {more}{shown}."


def curve(rows: pa.Table, window: Window) -> Curve:
    edges = workload_edges(rows)
    first = (
        pa.table({"edge": edges, "seen": rows["first_seen"]}).group_by("edge").aggregate([("seen", "min")])["seen_min"]
    )
    span = window.until - window.since
    step, name = next((one for one in STEPS if span >= LEAST_STEPS * one[0]), STEPS[-1])
    steps = max(1, -(-span // step))
    begins = [window.since + number * step for number in range(steps)]
    places = [min(steps - 1, max(0, (seen - window.since) // step)) for seen in first.to_pylist()]
    new = np.bincount(np.array(places, np.int64), minlength=steps).tolist()
    return Curve(name, begins[-MOST_STEPS:], new[-MOST_STEPS:])
