"""A lake that cannot be written is told to whoever collects, and keeps nobody waiting."""

from pathlib import Path
from threading import Thread

import pytest

from cli.knowing import Knowledge
from cli.pipeline import Pipeline
from cli.sinks import MOST_BATCHES, LakeSink
from cli.turns import Turns
from contract.errors import LakeError
from enricher.directory import Directory
from store.lake import Lake
from tests.unit.enricher.cluster import NOON, flow, flows

BATCH = flows(flow("10.1.0.5:4000", "10.1.1.6:80", node="n1")).to_batches()[0]


def made(folder: Path, round_s: float) -> LakeSink:
    known = Knowledge(Directory.empty, dict, list)
    pipeline = Pipeline(Lake.create(folder), known, lambda: NOON)
    sink = LakeSink(pipeline, known, Turns(pipeline, known, round_s))
    sink.start()
    return sink


def closed(sink: LakeSink) -> None:
    """As the end of a program would wait for it, but not for ever."""
    ending = Thread(target=lambda: pytest.raises(LakeError, sink.close), daemon=True)
    ending.start()
    ending.join(30)
    assert not ending.is_alive()


def test_a_lake_that_goes_away_before_the_end_is_told_at_the_end(tmp_path: Path) -> None:
    sink = made(tmp_path / "lake", 3600)
    sink.add("flows", BATCH)
    (tmp_path / "lake" / "flows").rename(tmp_path / "away")
    closed(sink)


def test_a_lake_that_goes_away_is_told_while_batches_come(tmp_path: Path) -> None:
    sink = made(tmp_path / "lake", 0.1)
    (tmp_path / "lake" / "flows").rename(tmp_path / "away")
    with pytest.raises(LakeError, match="lake.flows: "):
        for _ in range(1000 * MOST_BATCHES):
            sink.add("flows", BATCH)
    closed(sink)
