"""A round ends after its time, or as soon as the cluster is known as it is, or when that has taken too long."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cli import pipeline
from cli.knowing import Knowledge
from cli.pipeline import Pipeline
from cli.turns import MOST_LATE_S, Turns
from enricher.directory import Directory
from store.lake import Lake
from tests.unit.enricher.cluster import NOON, flow, flows

ROUND_S = 15.0


@dataclass
class Cluster:
    """As far as a watcher knows it, at a time of the test's."""

    now: float = 100.0
    is_current: bool = True
    knowledge: Knowledge = field(init=False)

    def __post_init__(self) -> None:
        self.knowledge = Knowledge(Directory.empty, dict, list, (), lambda: self.is_current)


def filled(folder: Path, cluster: Cluster) -> Pipeline:
    found = Pipeline(Lake.create(folder / "lake"), cluster.knowledge, lambda: NOON)
    for batch in flows(flow("10.1.0.5:4000", "10.1.1.6:80", 1, node="n1")).to_batches():
        found.add("flows", batch)
    return found


def due(turns: Turns, cluster: Cluster, now: float) -> bool:
    cluster.now = now
    return turns.is_due()


def test_a_round_has_its_time(tmp_path: Path) -> None:
    cluster = Cluster()
    turns = Turns(filled(tmp_path, cluster), cluster.knowledge, ROUND_S, lambda: cluster.now)
    assert [due(turns, cluster, now) for now in (100, 114, 115)] == [False, False, True]
    turns.begin()
    assert [due(turns, cluster, now) for now in (129, 130)] == [False, True]


def test_records_wait_while_the_cluster_is_not_known_as_it_is(tmp_path: Path) -> None:
    cluster = Cluster()
    turns = Turns(filled(tmp_path, cluster), cluster.knowledge, ROUND_S, lambda: cluster.now)
    assert not due(turns, cluster, 110)
    cluster.is_current = False
    last = 110 + MOST_LATE_S
    assert [due(turns, cluster, now) for now in (115, last - 1, last)] == [False, False, True]
    turns.begin()
    assert due(turns, cluster, last + ROUND_S), "it was waited for long enough"
    cluster.is_current = True
    turns.begin()
    assert due(turns, cluster, last + 2 * ROUND_S)
    turns.begin()
    cluster.is_current = False
    assert not due(turns, cluster, last + 3 * ROUND_S)


def test_nothing_waits_for_nothing_and_memory_has_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(is_current=False)
    empty = Pipeline(Lake.create(tmp_path / "empty"), cluster.knowledge, lambda: NOON)
    assert due(Turns(empty, cluster.knowledge, ROUND_S, lambda: cluster.now), cluster, 115)
    turns = Turns(filled(tmp_path, cluster), cluster.knowledge, ROUND_S, lambda: cluster.now)
    monkeypatch.setattr(pipeline, "MOST_ROWS", 0)
    assert due(turns, cluster, 116)
