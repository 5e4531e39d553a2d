"""How much a window may not have shown: an estimate of the edges nobody saw yet, and when the known ones first came.

An edge is to a window what a species is to a survey. Seen in how many ticks: those seen in one or two tell how many were
seen in none (Chao2, bias-corrected; Chao 1987, Colwell et al. 2012), and the share of first sightings tells how likely the
next one is an edge that nobody knows (Good 1953). Both are lower bounds: what comes once a year leaves no trace.

An edge is what a rule has to name: visitors from outside without a domain are one edge of a workload's port, however many.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analysis.policy.endpoints import Numbers
from analysis.policy.grouping import workload_edges
from analysis.policy.history import SIDES, Window
from analysis.policy.owners import OUTSIDE
from analysis.words import counted

NINETY_FIVE = 1.96
# Steps of the curve: the shortest of which a line shows the whole window.
STEPS = ((timedelta(minutes=1), "minute"), (timedelta(hours=1), "hour"), (timedelta(days=1), "day"))
MOST_STEPS = 48
# Of fewer ticks nothing can be said of how often an edge comes.
LEAST_TICKS = 10


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
    """``new[i]`` edges were first seen in step ``i``."""

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
    length = (window.until - window.since).total_seconds()
    return estimate(_sightings(rows, window).tolist(), max(1, math.ceil(length / window.tick_s)))


def _sightings(rows: pa.Table, window: Window) -> Numbers:
    """In how many ticks each edge was seen: those in which a connection began, and those that the last to end went on in."""
    ticks = rows["ticks"].combine_chunks()
    row, begun = pc.list_parent_indices(ticks).to_numpy(), pc.list_flatten(ticks).to_numpy()
    latest = np.flatnonzero(np.diff(row, append=-1))
    before = int(window.until.timestamp() * 1_000_000) - 1
    last = np.minimum(np.asarray(rows["last_seen"].cast(pa.int64())), before) // (1_000_000 * window.tick_s)
    spans = np.append(begun, begun[latest]), np.append(begun, np.maximum(begun[latest], last[row[latest]]))
    return _covered(_edges(rows)[np.append(row, row[latest])], *spans)


def _covered(edges: Numbers, firsts: Numbers, lasts: Numbers) -> Numbers:
    """How many ticks lie in one span or more of each edge."""
    if not len(edges):
        return np.zeros(0, np.int64)
    order = np.lexsort((firsts, edges))
    # Each edge has a stretch of numbers of its own.
    own = edges[order] * (int(lasts.max() - firsts.min()) + 2) - int(firsts.min())
    begins, ends = firsts[order] + own, lasts[order] + own
    before = np.append(-1, np.maximum.accumulate(ends)[:-1])
    new = np.maximum(0, ends - np.maximum(before, begins - 1))
    return np.bincount(edges[order], new).astype(np.int64)


def _edges(rows: pa.Table) -> Numbers:
    for side in SIDES:
        outside = pc.fill_null(pc.is_in(rows[f"{side}_kind"], pa.array(OUTSIDE, pa.string())), False)
        place = rows.schema.get_field_index(f"{side}_address")
        rows = rows.set_column(place, f"{side}_address", pc.if_else(outside, "", rows[f"{side}_address"]))
    return np.asarray(workload_edges(rows), np.int64)


def told(rows: pa.Table, window: Window) -> Iterator[str]:
    found, new = unseen(rows, window), curve(rows, window)
    if found.ticks < LEAST_TICKS:
        yield "The time is too short to estimate how many edges it did not show."
    elif found.edges < 0.5:
        yield f"Of {counted(found.seen, 'edge')} none came so rarely that more of its kind have to be expected."
    else:
        yield (
            f"About {counted(round(found.edges), 'edge')} more exist that this time did not show (95 %: "
            f"{found.least:,.0f} to {found.most:,.0f}; Chao2), and {found.chance:.1%} of the sightings were of an edge's only one."
        )
    if found.seen < len(pc.unique(workload_edges(rows))):
        yield "There addresses outside without a domain count as one, as a rule that names everybody has them."
    shown = ", ".join(f"{count:,}" for count in new.new[-MOST_STEPS:])
    more = "…, " if len(new.new) > MOST_STEPS else ""
    yield f"New edges by {new.step}: {more}{shown}."


def curve(rows: pa.Table, window: Window) -> Curve:
    found = pa.table({"edge": _edges(rows), "seen": rows["first_seen"]})
    first = found.group_by("edge").aggregate([("seen", "min")])["seen_min"]
    span = window.until - window.since
    step, name = next((one for one in STEPS if span <= MOST_STEPS * one[0]), STEPS[-1])
    steps = max(1, -(-span // step))
    begins = [window.since + number * step for number in range(steps)]
    places = [min(steps - 1, max(0, (seen - window.since) // step)) for seen in first.to_pylist()]
    new = np.bincount(np.array(places, np.int64), minlength=steps).tolist()
    return Curve(name, begins, new)
