"""Both ends of Kafka for tests: a publisher with its spool, and a lake that keeps only numbers and offsets."""

import time
from collections.abc import Iterable, Mapping
from pathlib import Path

import pyarrow as pa

from collector.transport.publish import Publisher, Source
from contract.coverage import COVERAGE
from contract.kafka import KafkaSettings
from enricher.consume import Callbacks, Consumer, Message
from tests.support.rows import batch

SESSION_SECONDS = 2.0  # Tansu lets the first member wait for half of it


def publisher(settings: KafkaSettings, spool: Path, spool_bytes: int = 1 << 30) -> Publisher:
    return Publisher(settings, Source("prod", "n1"), spool, time.monotonic, spool_bytes)


def numbered(number: int) -> pa.RecordBatch:
    """One row of coverage that has this number."""
    row = batch(COVERAGE, 1, number)
    for name, values in (("source", ["live"]), ("packets", [number])):
        place = row.schema.get_field_index(name)
        field = row.schema.field(place)
        row = row.set_column(place, field, pa.array(values, field.type))
    return row


def numbers(messages: list[Message]) -> list[int]:
    return [number for message in messages for number in message.batch.column("packets").to_pylist()]


def publish_each(settings: KafkaSettings, spool: Path, rows: Iterable[int]) -> None:
    """One message a row."""
    with publisher(settings, spool) as ours:
        for number in rows:
            ours.publish("coverage", numbered(number))
            ours.flush()


class Lake:
    """What a writer keeps in one commit: rows, and for each partition the offset before which it has all."""

    def __init__(self) -> None:
        self.rows: list[int] = []
        self.offsets: dict[int, int] = {}
        self.assigned = 0

    def callbacks(self) -> Callbacks:
        return Callbacks(self._assigned, lambda partitions: None)

    def write(self, messages: list[Message], positions: Mapping[int, int]) -> None:
        self.rows += numbers(messages)
        self.offsets |= positions

    def _assigned(self, partitions: frozenset[int]) -> dict[int, int]:
        self.assigned += len(partitions)
        return {partition: self.offsets[partition] for partition in partitions if partition in self.offsets}


def consumer(settings: KafkaSettings, lake: Lake) -> Consumer:
    """Of a group of the topic's own."""
    return Consumer(settings, lake.callbacks(), group=settings.topic, session=SESSION_SECONDS)


def take(one: Consumer, lake: Lake, rows: int, seconds: float = 60.0) -> None:
    """Until the lake has so many rows."""
    deadline = time.monotonic() + seconds
    while len(lake.rows) < rows:
        assert time.monotonic() < deadline, f"{len(lake.rows)} of {rows} rows within {seconds} s"
        lake.write(one.poll(0.2), one.positions)
