"""Both ends of Kafka for tests: a publisher with its spool, and a lake that keeps only ids and offsets."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from collector.transport.publish import Publisher, Source
from contract.coverage import COVERAGE
from contract.kafka import KafkaSettings
from enricher.consume import Callbacks, Consumer, Message
from tests.support.rows import batch

SESSION_SECONDS = 6.0


def publisher(settings: KafkaSettings, spool: Path, node: str = "n1", spool_bytes: int = 1 << 30) -> Publisher:
    return Publisher(settings, Source("prod", node), spool, time.monotonic, spool_bytes)


def numbered(number: int, padding: int = 0) -> pa.RecordBatch:
    """One row of coverage that has this number, and so many octets that do not compress well."""
    row = batch(COVERAGE, 1, number)
    text = str(number) if not padding else f"{number} " + "".join(map(str, range(number, number + padding // 6)))
    place = row.schema.get_field_index("source")
    packets = row.schema.get_field_index("packets")
    return row.set_column(place, row.schema.field(place), pa.array([text])).set_column(
        packets, row.schema.field(packets), pa.array([number])
    )


def numbers(messages: list[Message]) -> list[int]:
    return [number for message in messages for number in message.batch.column("packets").to_pylist()]


class Lake:
    """What a writer keeps in one commit: rows, and for each partition the offset before which it has all."""

    def __init__(self) -> None:
        self.rows: list[int] = []
        self.offsets: dict[int, int] = {}
        self.owned: set[int] = set()
        self.handed: list[tuple[str, frozenset[int]]] = []

    def callbacks(self) -> Callbacks:
        return Callbacks(self._assigned, self._revoked)

    def write(self, messages: list[Message], positions: Mapping[int, int]) -> None:
        self.rows += numbers(messages)
        self.offsets |= positions

    def _assigned(self, partitions: frozenset[int]) -> dict[int, int]:
        self.owned |= partitions
        self.handed.append(("assigned", partitions))
        return {partition: self.offsets[partition] for partition in partitions if partition in self.offsets}

    def _revoked(self, partitions: frozenset[int]) -> None:
        self.owned -= partitions
        self.handed.append(("revoked", partitions))


@contextmanager
def consuming(settings: KafkaSettings, lake: Lake) -> Iterator[Consumer]:
    with Consumer(settings, lake.callbacks(), session=SESSION_SECONDS) as consumer:
        yield consumer


def consume(consumer: Consumer, lake: Lake, rows: int, seconds: float = 60.0) -> None:
    """Until the lake has so many rows."""
    deadline = time.monotonic() + seconds
    while len(lake.rows) < rows:
        assert time.monotonic() < deadline, f"{len(lake.rows)} of {rows} rows within {seconds} s"
        lake.write(consumer.poll(0.5), consumer.positions)
    consumer.commit(lake.offsets)
