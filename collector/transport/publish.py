"""Record batches to Kafka, by way of a spool on disk: what was flushed outlives the process, and the broker's absence."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from secrets import token_hex
from threading import Event, RLock, Thread
from types import TracebackType
from typing import NamedTuple, Self

import pyarrow as pa

from collector.transport.delivery import Delivery, Session
from collector.transport.merging import Encoded, Merging
from collector.transport.sockets import Own, Tell
from collector.transport.spool import DiskSpool
from collector.transport.statistics import Statistics
from contract.errors import MachineError, TailraceError, UsageError
from contract.kafka import KafkaSettings
from contract.wire import MAX_HEADER, TABLES, Envelope, Header, MessageId

LINGER_SECONDS = 2.0  # how long a batch waits for company that fills its message
SPOOL_BYTES = 1 << 30
CLOSE_SECONDS = 10.0  # how long an end waits for acknowledgements; what has none stays in the spool

TURN_SECONDS = 0.2
FIRST_WAIT, LONGEST_WAIT = 0.5, 5.0  # seconds between attempts to reach Kafka


class Source(NamedTuple):
    """Whose batches they are. Messages of one node keep their order, and go to one enricher."""

    cluster: str | None
    node: str | None


class Publisher:
    """Use it in a ``with``. ``clock`` is monotonic seconds; ``tell`` hears of each connection before it is made."""

    def __init__(
        self,
        settings: KafkaSettings,
        source: Source,
        spool: Path,
        clock: Callable[[], float],
        spool_bytes: int = SPOOL_BYTES,
        tell: Tell = lambda _: None,
    ) -> None:
        if any(name and len(name.encode()) > MAX_HEADER for name in source):
            raise UsageError(f"the name of a cluster or node has at most {MAX_HEADER} octets")
        self._source = source
        self._clock = clock
        self._epoch = token_hex(8)
        self._sequence = 0
        self._lock = RLock()
        self._wake = Event()
        self._stopped = False
        self._fault: BaseException | None = None
        self._statistics = Statistics()
        self._merging = {name: Merging(settings.message_bytes) for name in TABLES}
        self._spool = DiskSpool(spool, spool_bytes)
        key = (source.node or "").encode()
        where = f"{settings.where}/{settings.topic}"
        self._own = Own(tell)
        self._delivery = Delivery(
            lambda: Session(settings, key, self._wake.set, self._own.url),
            where,
            self._spool,
            self._statistics,
            self._lock,
        )
        self._thread = Thread(target=self._run, name="publish", daemon=True)

    def __enter__(self) -> Self:
        self._own.__enter__()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.close()
        finally:
            self._own.__exit__()

    @property
    def statistics(self) -> Statistics:
        """As they are now."""
        with self._lock:
            return replace(self._statistics, spooled=self._spool.waiting, spooled_bytes=self._spool.size)

    def publish(self, table: str, batch: pa.RecordBatch) -> None:
        """``batch`` keeps the contract. It is in the spool after ``flush``, or a few seconds."""
        TABLES[table].validate(batch, TABLES[table].collected)
        if self._fault is not None:
            raise self._fault
        if not batch.num_rows:
            return
        with self._lock:
            merging = self._merging[table]
            merging.add(batch, self._clock())
            if merging.is_full:
                self._store(table)
        self._flush_due()

    def flush(self) -> None:
        """What was published is on disk; a kill -9 does not lose it any more."""
        with self._lock:
            for table in self._merging:
                self._store(table)

    def close(self, seconds: float = CLOSE_SECONDS) -> None:
        """Wait so long for Kafka to have all, and a few seconds for a connection at work; the rest is in the spool."""
        if self._stopped:
            return
        self.flush()
        until = self._clock() + seconds
        while self._thread.is_alive() and self._spool.waiting and self._clock() < until:
            self._thread.join(TURN_SECONDS)
        self._stopped = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()
        self._spool.close()

    def _flush_due(self) -> None:
        with self._lock:
            before = self._clock() - LINGER_SECONDS
            for table, merging in self._merging.items():
                if merging.since is not None and merging.since <= before:
                    self._store(table)

    def _store(self, table: str) -> None:
        if self._merging[table].since is None:
            return
        for message in self._merging[table].take():
            if isinstance(message, Encoded):
                self._spool_one(table, message)
            else:
                why = MachineError(f"a row of {table} is larger than a message may be; raise message_bytes")
                self._statistics.give_up(1, message, why)

    def _spool_one(self, table: str, message: Encoded) -> None:
        identity = MessageId(self._epoch, self._sequence)
        self._sequence += 1
        headers = Envelope(table, message.rows, identity, *self._source).headers()
        try:
            self._append(headers, message)
        except MachineError as error:
            self._statistics.give_up(1, message.rows, error)
        self._wake.set()

    def _append(self, headers: list[Header], message: Encoded) -> None:
        """The oldest make room, where the bound or the disk wants it."""
        while self._spool.is_full(len(message.value)):
            self._give_up_oldest(MachineError(f"{self._spool.folder}: the spool is full; Kafka was away for too long"))
        try:
            self._spool.append(headers, message.value, message.rows)
        except MachineError as error:
            self._give_up_oldest(error)
            self._spool.append(headers, message.value, message.rows)

    def _give_up_oldest(self, why: TailraceError) -> None:
        """What is in flight from it is counted once its outcome is known."""
        lost = self._spool.give_up_oldest()
        rows = [rows for index, rows in lost.items() if not self._delivery.is_in_flight(index)]
        self._statistics.give_up(len(rows), sum(rows), why)

    def _run(self) -> None:
        try:
            self._deliver()
        except BaseException as fault:  # told to whoever publishes next
            self._fault = fault
        finally:
            self._delivery.end()

    def _deliver(self) -> None:
        wait, again_at = FIRST_WAIT, self._clock()
        while not self._stopped:
            self._wake.wait(TURN_SECONDS)
            self._wake.clear()
            self._flush_due()
            if self._clock() < again_at:
                continue
            try:
                self._delivery.turn()
                wait = FIRST_WAIT
            except TailraceError as error:
                with self._lock:
                    self._statistics.failures += 1
                    self._statistics.error = error
                again_at = self._clock() + wait
                wait = min(2 * wait, LONGEST_WAIT)
