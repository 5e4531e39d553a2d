"""Learned on the first part of the time, replayed on the rest: what a recommendation of then would have cut since."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from analysis.policy.evaluate import evaluate
from analysis.policy.history import Window
from analysis.policy.recommend import words
from analysis.policy.recommend.cluster import Cluster
from analysis.policy.recommend.dialects import Writer, written
from analysis.policy.recommend.learning import Learning, touches
from analysis.policy.recommend.model import Evidence
from analysis.policy.recommend.recommend import NoEvidenceError, recommend
from analysis.policy.replay import Asked
from analysis.words import counted
from store.lake import Lake

LEARNED = 0.8


@dataclass(frozen=True)
class Backtest:
    """``denied`` are the edges after ``split`` that worked, and that a recommendation of what was before would have denied."""

    split: datetime
    judged: int
    denied: tuple[Evidence, ...]


def backtest(
    lake: Lake, cluster: Cluster, asked: Asked, window: Window, namespaces: Sequence[str], write: Writer
) -> Backtest | None:
    """None where one of the two parts has no records, or the first no pod of a namespace."""
    split = window.since + LEARNED * (window.until - window.since)
    try:
        found, _ = recommend(lake, cluster, replace(asked, until=split), namespaces)
        _, later = recommend(lake, cluster, replace(asked, since=split), namespaces)
    except NoEvidenceError:
        return None
    history = later.history
    verdicts = evaluate(written(found, write), history.endpoints, history.edges)
    chosen = frozenset(namespaces)
    judged = [edge for edge in later.edges if touches(edge, chosen)]
    cut = _cut(later, verdicts.denied & later.needed)
    return Backtest(split, len(judged), tuple(edge for edge in judged if _key(edge) in cut))


def _cut(learning: Learning, denied: np.ndarray) -> set[tuple[object, ...]]:
    edges = learning.history.edges
    rows = np.flatnonzero(denied).tolist()
    columns = (edges.src[rows], edges.dst[rows], edges.protocol[rows], edges.port[rows])
    return {
        (learning.ends[src], learning.ends[dst], protocol, port)
        for src, dst, protocol, port in zip(*(column.tolist() for column in columns), strict=True)
    }


def _key(edge: Evidence) -> tuple[object, ...]:
    return edge.src, edge.dst, edge.protocol, edge.port


def told(found: Backtest | None) -> Iterator[str]:
    if found is None:
        yield "Back-test: not possible, as the first 80 % of the time or the rest has nothing to learn from."
        return
    part = f"Back-test, learned until {found.split:%Y-%m-%dT%H:%M:%SZ} (80 % of the time) and replayed on the rest"
    if not found.judged:
        yield f"{part}: the rest has no edge that could be judged."
        return
    if not found.denied:
        yield f"{part}: of {counted(found.judged, 'edge')} none would have been denied."
        return
    yield f"{part}: of {counted(found.judged, 'edge')} {len(found.denied):,} would have been denied."
    yield from (f"  {line}" for line in words.edges(found.denied))
