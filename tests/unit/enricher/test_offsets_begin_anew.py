"""A partition whose offsets begin anew is that of another topic by the same name."""

from types import SimpleNamespace
from typing import Any

import pytest
from kafka.structs import TopicPartition

from contract.coverage import COVERAGE
from contract.kafka import KafkaSettings
from contract.wire import Envelope, MessageId, encode
from enricher import consume
from enricher.consume import Callbacks, Consumer
from tests.support.rows import batch

PLACE = TopicPartition("flow", 0)
ROWS = batch(COVERAGE, 1)


class Fetched:
    """What kafka-python would have fetched, poll by poll."""

    def __init__(self, *polls: list[int]) -> None:
        self._polls = list(polls)
        self.config = {"request_timeout_ms": 1}
        self._fetcher = SimpleNamespace()

    def poll(self, **_: Any) -> dict[TopicPartition, list[Any]]:
        return {PLACE: [record(offset, number) for offset, number in self._polls.pop(0)]}  # type: ignore[misc]

    def subscribe(self, topics: list[str], listener: Any) -> None:
        listener.on_partitions_assigned([PLACE])

    def committed(self, place: TopicPartition) -> int:
        return 500

    def end_offsets(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(places, 502)

    def assignment(self) -> set[TopicPartition]:
        return {PLACE}

    def highwater(self, place: TopicPartition) -> int:
        return 3

    def seek(self, place: TopicPartition, offset: int) -> None:
        assert offset == 0


def record(offset: int, number: int) -> Any:
    headers = Envelope("coverage", 1, MessageId("e", number)).headers()
    return SimpleNamespace(partition=0, offset=offset, headers=headers, value=encode(ROWS), key=None)


def test_all_of_it_is_given_out_and_nothing_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    polls: list[Any] = [[], [(500, 0), (501, 1)], [(0, 2), (1, 3)], [(2, 4)]]
    monkeypatch.setattr(consume, "connected", lambda *_, **__: Fetched(*polls))
    monkeypatch.setattr(consume, "DeadLetters", lambda _: SimpleNamespace(bury=lambda dead: None))
    restarted: list[int] = []
    one = Consumer(KafkaSettings(("b:1",)), Callbacks(lambda _: {}, lambda _: None, restarted.append))
    given = [(message.offset, len(restarted)) for _ in polls for message in one.poll(0)]
    assert given == [(500, 0), (501, 0), (0, 1), (1, 1), (2, 1)]
    assert (one.counts.restarted, one.counts.missed) == (1, 0)
    assert one.positions == {0: 3}
    assert one.counts.behind == 0
