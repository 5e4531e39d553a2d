"""Batches put together toward the size of a message, and cut where they are larger."""

from collections.abc import Iterator
from typing import NamedTuple

import pyarrow as pa

from contract.wire import MOST_DECODED, encode

GUESS = 0.25  # of a table's columns that are left once compressed, until a message shows it


class Encoded(NamedTuple):
    value: bytes
    rows: int


class Merging:
    """Batches of one table that wait for company. ``since`` is when the oldest came, None if there is none."""

    def __init__(self, message_bytes: int) -> None:
        self._message_bytes = message_bytes
        self._waiting: list[pa.RecordBatch] = []
        self._bytes = 0
        self._share = GUESS
        self.since: float | None = None

    @property
    def is_full(self) -> bool:
        return self._bytes * self._share >= self._message_bytes or self._bytes >= MOST_DECODED

    def add(self, batch: pa.RecordBatch, now: float) -> None:
        self._waiting.append(batch)
        self._bytes += batch.nbytes
        self.since = now if self.since is None else self.since

    def take(self) -> Iterator[Encoded | int]:
        """What waits, as messages; the number of rows in place of one that no message can hold."""
        batch = pa.concat_batches(self._waiting)
        self._waiting, self._bytes, self.since = [], 0, None
        yield from self._encoded(batch)

    def _encoded(self, batch: pa.RecordBatch) -> Iterator[Encoded | int]:
        rows = batch.num_rows
        if batch.nbytes <= MOST_DECODED:
            value = encode(batch)
            self._share = max(len(value) / max(batch.nbytes, 1), 0.01)
            if len(value) <= self._message_bytes:
                yield Encoded(value, rows)
                return
        if rows <= 1:
            yield rows
            return
        yield from self._encoded(batch.slice(0, rows // 2))
        yield from self._encoded(batch.slice(rows // 2))
