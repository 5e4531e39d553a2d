"""Whenever an enricher dies, another that goes on where the lake says has every record in the lake once."""

import contextlib
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from cli import pipeline as pipeline_module
from cli.knowing import Knowledge
from cli.pipeline import WRITTEN, Pipeline
from contract.errors import OvertakenError
from enricher.directory import Directory
from store.lake import Lake
from tests.unit.enricher.cluster import NOON, answer, dns, flow, flows, query

NOTHING_KNOWN = Knowledge(Directory.empty, dict, list)
PART, MESSAGES = "kafka/flow/0", 6


class Killed(Exception):
    pass


class DyingLake:
    """The lake of an enricher that is killed before its ``death``-th commit."""

    def __init__(self, lake: Lake, death: int) -> None:
        self._lake = lake
        self._left = death

    def __getattr__(self, name: str) -> object:
        return getattr(self._lake, name)

    def append(self, *arguments: object) -> None:
        self._left -= 1
        if self._left < 0:
            raise Killed
        self._lake.append(*arguments)  # type: ignore[arg-type]


def message(place: int) -> tuple[str, pa.RecordBatch]:
    """A flow, or the transaction before it."""
    client = f"10.1.0.5:{4000 + place}"
    if place % 2:
        return "flows", flows(flow(client, "10.1.1.6:80", place, node="n1")).to_batches()[0]
    asked = query(client, "10.1.1.7:53", f"x{place}.example", 100 * place, [answer("x", "192.0.2.1")], node="n1")
    return "dns", dns(asked).to_batches()[0]


def consume(lake: Lake | DyingLake, committed: int) -> int:
    """From where the transport says that we were, or the lake if it knows better; two messages a round."""
    pipeline = Pipeline(lake, NOTHING_KNOWN, lambda: NOON)  # type: ignore[arg-type]
    begin = pipeline.take_over([PART]).get(PART, committed)
    for place in range(begin, MESSAGES):
        pipeline.add_from(PART, place, *message(place))
        pipeline.mark({PART: place + 1})
        if place % 2:
            committed = pipeline.turn().get(PART, committed)
    for _ in range(2):
        committed = pipeline.turn().get(PART, committed)
    return committed


@pytest.mark.parametrize("death", [0, 1, 3, 6, 10])
def test_killed_before_any_commit_nothing_is_lost_or_told_twice(death: int, tmp_path: Path) -> None:
    lake = Lake.create(tmp_path / "lake")
    with contextlib.suppress(Killed):
        consume(DyingLake(lake, death), 0)
    consume(lake, 0)
    assert Pipeline(lake, NOTHING_KNOWN, lambda: NOON).take_over([PART]) == {PART: MESSAGES}
    with lake.connect() as views:
        told = [
            views.sql(query).fetchall()
            for query in (
                "select src_port from flow_records order by 1",
                "select qname from dns_records order by 1",
                "select asked from resolutions order by 1",
            )
        ]
    names = [(f"x{place}.example",) for place in range(0, MESSAGES, 2)]
    assert told == [[(4000 + place,) for place in range(1, MESSAGES, 2)], names, names]


def test_one_that_was_taken_over_writes_nothing_until_it_goes_on_from_there(tmp_path: Path) -> None:
    lake = Lake.create(tmp_path / "lake")
    slow = Pipeline(lake, NOTHING_KNOWN, lambda: NOON)
    slow.take_over([PART])
    for place in range(2):
        slow.add_from(PART, place, *message(place))
        slow.mark({PART: place + 1})
    slow.turn()
    assert consume(lake, 0) == MESSAGES
    with pytest.raises(OvertakenError, match="another writer has gone on"):
        slow.turn()
    slow.hand_over([PART])
    assert slow.take_over([PART]) == {PART: MESSAGES}
    slow.mark({PART: MESSAGES})
    slow.turn()
    rows = {table: sum(file.rows for file in lake.files(table)) for table in WRITTEN}
    assert rows == {"resolutions": 3, "flows": 3, "dns": 3, "coverage": 0}


def test_a_topic_that_was_made_anew_is_read_from_its_beginning(tmp_path: Path) -> None:
    lake = Lake.create(tmp_path / "lake")
    consume(lake, 0)
    later = Pipeline(lake, NOTHING_KNOWN, lambda: NOON)
    assert later.take_over([PART]) == {PART: MESSAGES}
    later.restart(PART)
    later.add_from(PART, 0, "flows", flows(flow("10.1.0.5:9", "10.1.1.6:80", 9, node="n1")).to_batches()[0])
    later.mark({PART: 1})
    for _ in range(2):
        later.turn()
    assert sum(file.rows for file in lake.files("flows")) == MESSAGES // 2 + 1
    assert Pipeline(lake, NOTHING_KNOWN, lambda: NOON).take_over([PART]) == {PART: 1}


@pytest.mark.parametrize("death", range(len(WRITTEN) + 1))
def test_killed_while_it_begins_anew_the_next_one_begins_anew(death: int, tmp_path: Path) -> None:
    lake = Lake.create(tmp_path / "lake")
    consume(lake, 0)
    dying = Pipeline(DyingLake(lake, death), NOTHING_KNOWN, lambda: NOON)  # type: ignore[arg-type]
    dying.take_over([PART])
    with contextlib.suppress(Killed):
        dying.restart(PART)
    later = Pipeline(lake, NOTHING_KNOWN, lambda: NOON)
    if later.take_over([PART]) == {PART: MESSAGES}:  # it ends before: the consumer finds out again
        later.restart(PART)
    rows = {table: sum(file.rows for file in lake.files(table)) for table in WRITTEN}
    consume(lake, 0)
    now = {table: sum(file.rows for file in lake.files(table)) for table in WRITTEN}
    assert now == {table: rows[table] + 3 for table in WRITTEN[:-1]} | {"coverage": 0}


def test_lag_is_that_of_the_node_furthest_behind_and_of_the_last_round(tmp_path: Path) -> None:
    one = Pipeline(Lake.create(tmp_path / "lake"), NOTHING_KNOWN, lambda: NOON + timedelta(seconds=60))
    for node, second in (("n1", 10), ("n1", 30), ("n2", 50)):
        one.add("flows", flows(flow(f"10.1.0.5:{second}", "10.1.1.6:80", second, node=node)).to_batches()[0])
    one.turn()
    one.turn()
    lag = one.statistics.lag_seconds
    assert lag is not None
    assert 28 < lag <= 30
    one.turn()
    assert one.statistics.lag_seconds is None


@pytest.mark.parametrize(("bound", "most"), [("MOST_ROWS", 1), ("MOST_BYTES", message(1)[1].nbytes)])
def test_a_round_is_full_by_what_came_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bound: str, most: int
) -> None:
    """What waits from the round before is to have company, too."""
    monkeypatch.setattr(pipeline_module, bound, most)
    one = Pipeline(Lake.create(tmp_path / "lake"), NOTHING_KNOWN, lambda: NOON)
    for place in (1, 3):
        assert not one.is_full
        one.add(*message(place))
    assert one.is_full
    one.turn()
    assert not one.is_full
    assert one.rows_waiting == 2
