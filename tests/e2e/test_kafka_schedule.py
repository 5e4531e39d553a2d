"""Whatever crashes, and whenever Kafka is away: every batch that was flushed is in the lake, once."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from enricher.consume import Consumer
from tests.support.broker import Broker
from tests.support.published import Lake, consumer, take
from tests.support.publishing import Publishing

pytestmark = pytest.mark.service

STEPS = 12


class Schedule:
    """Steps that may come in any order; what is published has the numbers from 0 on."""

    def __init__(self, broker: Broker, topic: str, spool: Path, draw: random.Random) -> None:
        self._broker = broker
        self._settings = broker.settings(topic)
        broker.create(topic, 2)
        self._draw = draw
        self.lake = Lake()
        self.published = 0
        self.publishing = Publishing(self._settings, spool)
        self.doubles = 0
        self.reader = self._joined()

    def publish(self) -> None:
        count = self._draw.randint(1, 60)
        self.publishing.publish(self.published, count)
        self.published += count

    def publish_and_crash(self) -> None:
        self.publish()
        self.publishing.crash()

    def publish_while_kafka_is_away(self) -> None:
        with self._broker.away():
            self.publish()

    def crash_while_kafka_is_away(self) -> None:
        with self._broker.away():
            self.publish_and_crash()
            self.publish()

    def write(self) -> None:
        self.lake.write(self.reader.poll(0.5), self.reader.positions)

    def write_and_commit(self) -> None:
        self.write()
        self.reader.commit(self.lake.offsets)

    def read_and_crash(self) -> None:
        self.reader.poll(0.5)
        self.close()
        self.reader = self._joined()

    def write_and_crash(self) -> None:
        self.write()
        self.read_and_crash()

    def close(self) -> None:
        self.doubles += self.reader.counts.doubles
        self.reader.close()

    def _joined(self) -> Consumer:
        """Tansu's groups do not survive a member that comes and goes in the middle of a join."""
        self.lake.assigned = 0
        reader = consumer(self._settings, self.lake)
        while not self.lake.assigned:
            self.lake.write(reader.poll(0.2), reader.positions)
        return reader

    def steps(self) -> list[Callable[[], None]]:
        return [
            self.publish,
            self.publish_and_crash,
            self.publish_while_kafka_is_away,
            self.crash_while_kafka_is_away,
            self.write,
            self.write_and_commit,
            self.read_and_crash,
            self.write_and_crash,
        ]


@pytest.mark.parametrize("seed", [1])
def test_any_schedule_gives_every_batch_once(broker: Broker, tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    schedule = Schedule(broker, f"schedule-{seed}", tmp_path / "spool", draw)
    try:
        for _ in range(STEPS):
            draw.choice(schedule.steps())()
        schedule.publish()
        schedule.publishing.end()
        take(schedule.reader, schedule.lake, schedule.published)
        assert not schedule.reader.poll(1)
    finally:
        schedule.publishing.kill()
        schedule.close()
    assert schedule.lake.rows == list(range(schedule.published))
