"""Record batches that kafka-python cannot parse: passed over, and told.

Its fetcher (3.0.12) raises at such a batch once, and then asks it for records for ever. Here its parser does not raise: it goes on
with the batch that follows. A header's name that is not UTF-8 is no reason: its message is given out.
"""

import struct
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from kafka import KafkaConsumer
from kafka.consumer.fetcher import Fetcher
from kafka.errors import CorruptRecordError
from kafka.record.default_records import DefaultRecordBatch
from kafka.structs import TopicPartition

# Of a record batch (magic 2): base offset, length, epoch, magic, checksum, attributes, how far on its last offset is.
_HEAD = struct.Struct(">qiibIhi")
_OFFSET = struct.Struct(">q")
MAGIC = 2


class Corrupt(NamedTuple):
    """The messages from ``begin`` to before ``end`` cannot be read."""

    place: TopicPartition
    begin: int
    end: int
    why: str


def pass_corrupt(kafka: KafkaConsumer, told: Callable[[Corrupt], None]) -> None:
    """``told`` is called inside of its ``poll``."""

    class Records(Fetcher.PartitionRecords):  # type: ignore[misc]  # kafka-python has no types
        next_fetch_offset: int

        def _unpack_records(self, tp: TopicPartition, records: Any, *deserializers: Any) -> Iterator[Any]:
            batches = _Batches(records)
            try:
                while not batches.is_stuck:
                    try:
                        yield from super()._unpack_records(tp, batches, *deserializers)
                        return
                    except Exception as error:  # of whatever kind: all that is parsed here is what somebody sent
                        begin = self.next_fetch_offset
                        self.next_fetch_offset = batches.end(begin, kafka.highwater(tp))
                        told(Corrupt(tp, begin, self.next_fetch_offset, _one_line(error)))
            finally:
                self.drain()

    kafka._fetcher.PartitionRecords = Records


class _Batches:
    """Those of one fetch; knows where the one ends that was given out last."""

    def __init__(self, records: Any) -> None:
        self._records = records
        self._octets: memoryview | None = None

    @property
    def is_stuck(self) -> bool:
        """It does not get beyond a batch that is too short to be one."""
        return self._octets is not None and self._records._next_slice is self._octets

    def next_batch(self) -> Any:
        self._octets = self._records._next_slice
        batch = self._records.next_batch()
        return _Batch(self._octets) if isinstance(batch, DefaultRecordBatch) else batch

    def end(self, begin: int, highwater: int | None) -> int:
        """Where reading goes on: what a corrupt batch says of itself is not believed beyond what Kafka has."""
        following = None if self.is_stuck else self._records._next_slice
        said = _first_offset(following) if following is not None else _end(self._octets)
        return max(begin + 1, min(said, highwater or 0))


class _Batch(DefaultRecordBatch):  # type: ignore[misc]
    """One that is lenient with names of headers, from the first on that needs it."""

    __slots__ = ()

    def __next__(self) -> Any:
        try:
            return super().__next__()
        except CorruptRecordError as error:
            if not isinstance(error.__context__, UnicodeDecodeError):
                raise
        self._buffer = _Lenient(self._buffer)  # type: ignore[misc, has-type]
        return super().__next__()


class _Lenient(bytearray):
    def __getitem__(self, place: Any) -> Any:
        found = super().__getitem__(place)
        return _Name(found) if isinstance(found, bytearray) else found


class _Name(bytearray):
    def decode(self, encoding: str = "utf-8", errors: str = "replace") -> str:
        return super().decode(encoding, errors)


def _first_offset(batch: memoryview) -> int:
    return int(_OFFSET.unpack_from(batch)[0]) if len(batch) >= _OFFSET.size else 0


def _end(batch: memoryview | None) -> int:
    if batch is None or len(batch) < _HEAD.size:
        return 0
    first, _, _, magic, _, _, last = _HEAD.unpack_from(batch)
    return int(first + 1 + (last if magic == MAGIC else 0))


def _one_line(error: Exception) -> str:
    return repr(str(error)[:200] or type(error).__name__)[1:-1]
