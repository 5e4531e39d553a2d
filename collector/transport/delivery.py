"""From the spool to Kafka: in order, a bounded number of octets at a time, and again from the first that was not acknowledged."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from queue import SimpleQueue
from threading import RLock
from typing import NamedTuple

from kafka import KafkaProducer
from kafka.errors import KafkaError

from collector.transport.spool import DiskSpool, Stored
from collector.transport.statistics import Statistics
from contract.errors import MachineError, TransportError
from contract.kafka import OVERHEAD_BYTES, TOO_LARGE, KafkaSettings, connected, transport_error

# kafka-python queues without bound. This much is given to it; the rest waits on disk.
MAX_IN_FLIGHT_BYTES = 8 << 20
MAX_IN_FLIGHT = 256  # messages: what is sent again after a failure or a crash, and must be known again as a double

METADATA_MS = 5_000  # how long a topic may take to be told
DELIVERY_MS = 30_000  # after which what is in flight counts as not delivered
CLOSE_SECONDS = 2.0


class Flight(NamedTuple):
    """A message that was given to the producer."""

    bytes: int
    rows: int


Outcome = tuple[int, Exception | None]  # index, and what went wrong


class Session:
    """One producer, from connection to its first failure.

    ``wake`` is called whenever there is an outcome; ``sockets`` names what makes its sockets.
    """

    def __init__(
        self, settings: KafkaSettings, key: bytes | None, wake: Callable[[], None], sockets: str | None = None
    ) -> None:
        self._settings = settings
        self._key = key
        self._wake = wake
        self._outcomes: SimpleQueue[Outcome] = SimpleQueue()
        self.in_flight: dict[int, Flight] = {}
        self.bytes = 0
        self._failed = False
        self._producer = connected(
            KafkaProducer,
            settings,
            proxy_url=sockets,
            acks="all",
            enable_idempotence=True,
            max_request_size=settings.message_bytes + OVERHEAD_BYTES,
            max_block_ms=METADATA_MS,
            delivery_timeout_ms=DELIVERY_MS,
            metrics_enabled=False,
        )

    @property
    def has_room(self) -> bool:
        """The next message may go beyond the bound, by its own size at most. None follows a failure."""
        return not self._failed and self.bytes < MAX_IN_FLIGHT_BYTES and len(self.in_flight) < MAX_IN_FLIGHT

    def reserve(self, index: int, flight: Flight) -> None:
        self.in_flight[index] = flight
        self.bytes += flight.bytes

    def send(self, index: int, message: Stored) -> None:
        """``index`` was reserved."""
        try:
            future = self._producer.send(self._settings.topic, message.value, key=self._key, headers=message.headers)
        except (KafkaError, OSError) as error:
            self._settled(index, error)
            return
        future.add_callback(lambda _: self._settled(index, None))
        future.add_errback(lambda error: self._settled(index, error))

    def _settled(self, index: int, error: Exception | None) -> None:
        self._failed = self._failed or not (error is None or isinstance(error, TOO_LARGE))
        self._outcomes.put((index, error))
        self._wake()

    def outcomes(self) -> Iterator[tuple[int, Flight, Exception | None]]:
        """Those that are known by now; what they held is free again."""
        while not self._outcomes.empty():
            index, error = self._outcomes.get()
            flight = self.in_flight.pop(index)
            self.bytes -= flight.bytes
            yield index, flight, error

    def close(self) -> None:
        """What is in flight is settled by it, for better or worse."""
        # KafkaProducer.close alone raises where a broker is away, and leaves its threads behind.
        self._producer._sender.force_close()
        with suppress(KafkaError):
            self._producer.close(timeout=CLOSE_SECONDS)


class Delivery:
    """Moves the spool's mark. One thread takes its turns; ``lock`` guards spool and statistics."""

    def __init__(
        self, connect: Callable[[], Session], where: str, spool: DiskSpool, statistics: Statistics, lock: RLock
    ) -> None:
        self._connect = connect
        self._where = where
        self._spool = spool
        self._statistics = statistics
        self._lock = lock
        self._session: Session | None = None
        self._settled: set[int] = set()  # above the mark
        self._next = 0

    def is_in_flight(self, index: int) -> bool:
        return self._session is not None and index in self._session.in_flight

    def turn(self) -> None:
        """Note what was acknowledged, send what there is room for. Raises ``TransportError`` where a session ended."""
        if self._session is None and not self._spool.waiting:
            return
        session = self._session or self._begin()
        failure = self._settle(session)
        if failure is not None:
            self.end()
            raise transport_error(self._where, failure)
        while (message := self._following(session)) is not None:
            session.send(*message)

    def end(self) -> None:
        """Give up the session; what it did not deliver is sent again by the next."""
        session, self._session = self._session, None
        if session is None:
            return
        session.close()
        self._settle(session)
        with self._lock:
            for index, flight in session.in_flight.items():
                self._settle_one(index, flight, TransportError(self._where, "did not say whether it has a message"))
            self._statistics.in_flight_bytes = 0

    def _begin(self) -> Session:
        self._session = self._connect()
        with self._lock:
            self._next = self._spool.mark
        return self._session

    def _settle(self, session: Session) -> Exception | None:
        """The first failure among what is settled now, if there is one."""
        with self._lock:
            failures = [one[2] for one in session.outcomes() if not self._settle_one(*one)]
            self._advance()
            self._statistics.in_flight_bytes = session.bytes
        return failures[0] if failures else None

    def _settle_one(self, index: int, flight: Flight, error: Exception | None) -> bool:
        """Whether no more is to be done about it."""
        if error is None:
            self._statistics.publish(flight.rows, flight.bytes)
        elif isinstance(error, TOO_LARGE) or index < self._spool.mark:
            self._statistics.give_up(1, flight.rows, transport_error(self._where, error))
        else:
            return False
        self._settled.add(index)
        return True

    def _advance(self) -> None:
        mark = self._spool.mark
        while mark in self._settled:
            mark += 1
        if mark > self._spool.mark:
            self._spool.done(mark)
        self._settled = {index for index in self._settled if index >= mark}

    def _following(self, session: Session) -> tuple[int, Stored] | None:
        """The next message that is to be sent now, reserved."""
        with self._lock:
            self._next = max(self._next, self._spool.mark)
            while session.has_room and self._next < self._spool.end:
                index = self._next
                message = None if index in self._settled else self._spool.read(index)
                self._next += 1
                if index in self._settled:
                    continue
                if message is not None:
                    session.reserve(index, Flight(len(message.value), message.rows))
                    self._statistics.in_flight_bytes = session.bytes
                    return index, message
                self._give_up_damaged(index)
        return None

    def _give_up_damaged(self, index: int) -> None:
        why = MachineError(f"{self._spool.folder}: message {index} is damaged; check the disk")
        self._statistics.give_up(1, self._spool.rows(index), why)
        self._settled.add(index)
        self._advance()
