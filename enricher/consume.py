"""Batches from Kafka: each once, from where the lake says, and nothing is lost that could not be taken."""

from collections.abc import Callable, Iterable, Mapping
from math import inf
from types import TracebackType
from typing import Any, NamedTuple, Self

import pyarrow as pa
from kafka import ConsumerRebalanceListener, KafkaConsumer
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.errors import (
    CommitFailedError,
    IllegalGenerationError,
    KafkaError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)
from kafka.structs import OffsetAndMetadata, TopicPartition

from contract.errors import WireError
from contract.kafka import KafkaSettings, connected, transport_error
from contract.wire import Envelope, decode, opened
from enricher.corrupt import Corrupt, pass_corrupt
from enricher.dead import DeadLetter, DeadLetters
from enricher.doubles import Doubles

GROUP = "tailrace-enrich"
SESSION_SECONDS = 30.0  # after which a member that says nothing loses its partitions

# What is in memory at once: two fetches of octets as they came, and as many messages decoded.
FETCH_BYTES = 16 << 20
PARTITION_BYTES = 2 << 20
MAX_MESSAGES = 8

METADATA_MS = 10_000  # how long a topic or partition that is new may go unseen

# Messages before the offset where reading begins of which only the ids are taken: a double whose message lies further back,
# behind a change of its reader, is not known as one.
LOOK_BACK = 512
# A broker may tell an end that is a few messages behind what it gave out, after a producer tried again: the topic is the same.
LATE_END = 16

NO_MEMBER = (CommitFailedError, RebalanceInProgressError, IllegalGenerationError, UnknownMemberIdError)


class Message(NamedTuple):
    partition: int
    offset: int
    envelope: Envelope
    batch: pa.RecordBatch


class Callbacks(NamedTuple):
    """Called inside of ``poll``, by its thread.

    ``assigned``: these partitions are ours now; it returns the offsets to begin at that it knows, which win over Kafka's.
    ``revoked``: these are another's now, from the offset that the lake has; what was not written of them is to be forgotten.
    ``restarted``: this one ends before the offset that was told: its topic was made anew, and it is read from its beginning.
    ``corrupted``: these messages cannot be read at all, and are passed over.
    """

    assigned: Callable[[frozenset[int]], Mapping[int, int]]
    revoked: Callable[[frozenset[int]], None]
    restarted: Callable[[int], None] = lambda partition: None
    corrupted: Callable[[Corrupt], None] = lambda corrupt: None


class Counts:
    """``missed`` are offsets that Kafka no longer had, ``corrupt`` those that cannot be parsed; ``restarted`` are partitions
    that ended before where the lake was. ``partitions`` are those that are read, and ``behind`` what waits in them."""

    def __init__(self) -> None:
        self.messages = 0
        self.rows = 0
        self.bytes = 0
        self.doubles = 0
        self.dead = 0
        self.missed = 0
        self.corrupt = 0
        self.restarted = 0
        self.begun_again = 0
        self.partitions = 0
        self.behind = 0


class _Reading:
    """Of one partition: from ``begin`` messages are given out; ``next`` is the offset expected, None if any may come."""

    def __init__(self, begin: int, expected: int | None) -> None:
        self.begin = begin
        self.next = expected
        self.last = -1  # offset that was fetched
        self.doubles = Doubles()
        self.corrupt: list[Corrupt] = []  # that were not passed yet

    def passed(self, offset: float) -> int:
        """Pass what is corrupt before the offset; how many offsets that are."""
        count = 0
        while self.corrupt and self.corrupt[0].begin < offset:
            one = self.corrupt.pop(0)
            begin = max(one.begin, self.begin, self.next or 0)
            if one.end > begin:
                count += one.end - begin
                self.next = one.end
        return count

    @property
    def place(self) -> int:
        """The offset before which all was read, or need not be."""
        return max(self.last + 1, self.begin, self.next or 0)


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # kafka-python has no types
    """Runs inside of kafka-python's loop, where nothing may be asked of Kafka: it only notes what happened."""

    def __init__(self) -> None:
        self.events: list[tuple[bool, frozenset[int]]] = []

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        self.events.append((True, frozenset(place.partition for place in assigned)))

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        self.events.append((False, frozenset(place.partition for place in revoked)))


class Consumer:
    """One member of the group. ``poll`` again and again, at least every five minutes; write; ``commit``."""

    def __init__(
        self, settings: KafkaSettings, callbacks: Callbacks, group: str = GROUP, session: float = SESSION_SECONDS
    ) -> None:
        self._settings = settings
        self._callbacks = callbacks
        self._where = f"{settings.where}/{settings.topic}"
        self._listener = _Listener()
        self._readings: dict[int, _Reading] = {}
        self._to_begin: dict[
            int, int | None
        ] = {}  # partitions of ours that are not read yet, and where to begin if that is known
        self._dead = DeadLetters(settings)
        self.counts = Counts()
        self._kafka = connected(KafkaConsumer, settings, **_options(group, session))
        pass_corrupt(self._kafka, self._note)
        self._kafka.subscribe([settings.topic], listener=self._listener)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def positions(self) -> dict[int, int]:
        """By partition, the offset before which all was given out, known as a double, or is a dead letter."""
        return {partition: reading.next for partition, reading in self._readings.items() if reading.next is not None}

    def poll(self, seconds: float) -> list[Message]:
        """The next few messages of each partition in order. Where it raises ``TransportError``, none was passed over."""
        try:
            found = self._kafka.poll(timeout_ms=int(seconds * 1000))
        except (KafkaError, OSError) as error:
            raise transport_error(self._where, error) from error
        held = dict(self._readings)
        try:
            self._hand_over()
            taken, dead = self._taken(found, held)
            self._dead.bury(dead)
        except BaseException:
            self._rewind(found, held)
            raise
        self._count(taken, dead)
        self._count_what_waits()
        return taken

    def _note(self, corrupt: Corrupt) -> None:
        reading = self._readings.get(corrupt.place.partition)
        if reading is not None:
            reading.corrupt.append(corrupt)
            if corrupt.end > reading.begin:
                self._callbacks.corrupted(corrupt)

    def begin_again(self) -> None:
        """Read every partition of ours anew, from where the lake says; the callbacks are told as of any other."""
        self.counts.begun_again += 1
        ours = frozenset((*self._readings, *self._to_begin))
        self._forget(ours)
        self._to_begin.update(dict.fromkeys(ours))

    def commit(self, offsets: Mapping[int, int]) -> bool:
        """Tell Kafka what the lake has, as ``positions`` says it; False where the group moved on: the lake knows better."""
        places = {
            self._place(partition): OffsetAndMetadata(offset, "", -1)
            for partition, offset in offsets.items()
            if partition in self._readings
        }
        if not places:
            return False
        try:
            self._kafka.commit(places, timeout_ms=self._kafka.config["request_timeout_ms"])
        except NO_MEMBER:
            return False
        except (KafkaError, OSError) as error:
            raise transport_error(self._where, error) from error
        return True

    def close(self) -> None:
        try:
            self._kafka.close(autocommit=False)
        except (KafkaError, OSError) as error:
            raise transport_error(self._where, error) from error
        finally:
            self._dead.close()

    def _place(self, partition: int) -> TopicPartition:
        return TopicPartition(self._settings.topic, partition)

    def _hand_over(self) -> None:
        """Whatever is raised here, the next ``poll`` goes on with what is left to do."""
        while self._listener.events:
            is_assigned, partitions = self._listener.events.pop(0)
            if is_assigned:
                self._to_begin.update(dict.fromkeys(partitions))
            elif partitions:
                self._forget(partitions)
        if self._to_begin:
            self._begin()

    def _forget(self, partitions: frozenset[int]) -> None:
        for partition in partitions:
            self._readings.pop(partition, None)
            self._to_begin.pop(partition, None)
        self._callbacks.revoked(partitions)

    def _begin(self) -> None:
        asked = frozenset(partition for partition, offset in self._to_begin.items() if offset is None)
        if asked:
            self._to_begin.update(self._callbacks.assigned(asked))
        for partition, offset in list(self._to_begin.items()):
            try:
                self._seek(partition, offset)
            except (KafkaError, OSError) as error:
                raise transport_error(self._where, error) from error
            del self._to_begin[partition]

    def _seek(self, partition: int, offset: int | None) -> None:
        """Begin there, or where Kafka was told, or where the partition begins; with a look at the ids before."""
        place = self._place(partition)
        if offset is None:
            offset = self._kafka.committed(place)
        if offset is not None and offset > self._kafka.end_offsets([place])[place] + LATE_END:
            self._restarted(partition)
            offset = None
        begin = offset or 0
        self._kafka.seek(place, max(begin - LOOK_BACK, 0))
        self._readings[partition] = _Reading(begin, offset)

    def _taken(
        self, found: Mapping[TopicPartition, list[Any]], held: dict[int, _Reading]
    ) -> tuple[list[Message], list[DeadLetter]]:
        """What was fetched of a partition before its reading began is fetched again."""
        taken: list[Message] = []
        dead: list[DeadLetter] = []
        for place, records in found.items():
            reading = self._readings.get(place.partition)
            if reading is None or held.get(place.partition) is not reading:
                continue
            for record in records:
                if record.offset <= reading.last:
                    reading = held[place.partition] = self._restarted(place.partition)
                reading.last = record.offset
                try:
                    message = self._take(reading, record)
                except WireError as error:
                    dead.append(DeadLetter(record, error))
                else:
                    taken += [message] if message else []
        return taken, dead

    def _restarted(self, partition: int) -> _Reading:
        """Offsets that begin anew are those of a topic that was made anew."""
        self.counts.restarted += 1
        self._callbacks.restarted(partition)
        self._readings[partition] = _Reading(0, None)
        return self._readings[partition]

    def _take(self, reading: _Reading, record: Any) -> Message | None:
        """None of one that came before; raises ``WireError``."""
        if record.offset < reading.begin:
            _remember(reading, record)
            return None
        self.counts.corrupt += reading.passed(record.offset)
        self.counts.missed += record.offset - reading.next if reading.next is not None else 0
        reading.next = record.offset + 1
        self.counts.bytes += len(record.value or b"")
        envelope = opened(record.headers)
        batch = decode(envelope, record.value)
        if not reading.doubles.is_new(envelope.id):
            self.counts.doubles += 1
            return None
        return Message(record.partition, record.offset, envelope, batch)

    def _rewind(self, found: Mapping[TopicPartition, list[Any]], held: Mapping[int, _Reading]) -> None:
        """What was fetched is fetched again."""
        for place, records in found.items():
            reading = self._readings.get(place.partition)
            if reading is not None and held.get(place.partition) is reading:
                del self._readings[place.partition]
                self._to_begin[place.partition] = max(reading.begin, records[0].offset)

    def _count(self, taken: list[Message], dead: list[DeadLetter]) -> None:
        self.counts.messages += len(taken)
        self.counts.rows += sum(message.batch.num_rows for message in taken)
        self.counts.dead += len(dead)
        self.counts.corrupt += sum(reading.passed(inf) for reading in self._readings.values())

    def _count_what_waits(self) -> None:
        ours = [place for place in self._kafka.assignment() if place.partition in self._readings]
        ends = {place.partition: self._kafka.highwater(place) for place in ours}
        self.counts.partitions = len(ends)
        self.counts.behind = sum(
            max(0, end - self._readings[partition].place) for partition, end in ends.items() if end is not None
        )


def _remember(reading: _Reading, record: Any) -> None:
    try:
        reading.doubles.is_new(opened(record.headers).id)
    except WireError:
        return  # it is a dead letter already


def _options(group: str, session: float) -> dict[str, Any]:
    return {
        "group_id": group,
        "enable_auto_commit": False,
        "auto_offset_reset": "earliest",
        "metadata_max_age_ms": METADATA_MS,
        "max_poll_records": MAX_MESSAGES,
        "fetch_max_bytes": FETCH_BYTES,
        "max_partition_fetch_bytes": PARTITION_BYTES,
        "session_timeout_ms": int(session * 1000),
        "heartbeat_interval_ms": int(session * 1000 / 5),
        "partition_assignment_strategy": [CooperativeStickyAssignor],
        "metrics_enabled": False,
    }
