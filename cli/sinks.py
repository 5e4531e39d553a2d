"""Where `collect` hands its batches on: to Kafka, or to a lake in the same process."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue
from tempfile import TemporaryDirectory
from threading import Thread
from typing import TYPE_CHECKING, Any, Protocol

from cli.config import CollectConfig
from cli.metrics import Observed
from contract.coverage import COVERAGE
from contract.errors import TailraceError, TransportError

if TYPE_CHECKING:
    import pyarrow as pa

    from cli.knowing import Knowledge
    from cli.pipeline import Pipeline
    from cli.turns import Turns
    from collector.transport.publish import Publisher
    from collector.transport.sockets import Tell
    from collector.transport.statistics import Statistics

log = logging.getLogger("tailrace.collect")

# Batches that wait for the end of a round's enrichment; then the ring fills, and what it cannot hold is counted.
MOST_BATCHES = 256
TURN_S = 0.5


class Sink(Protocol):
    @property
    def metrics(self) -> tuple[Observed[Any], ...]: ...

    def add(self, table: str, batch: "pa.RecordBatch") -> None: ...

    def faults(self) -> list[str]:
        """Why it is not ready."""


@contextmanager
def sink(config: CollectConfig, own: "Tell") -> Iterator[Sink]:
    """What was added is where it belongs when this is left; ``own`` hears of connections to Kafka before they are made."""
    with _to_kafka(config, own) if config.to else _to_lake(config) as into:
        yield into


@contextmanager
def _to_kafka(config: CollectConfig, own: "Tell") -> Iterator[Sink]:
    from cli.transport import kafka_settings
    from collector.transport.publish import Publisher, Source

    source = Source(config.cluster, config.node)
    kafka = kafka_settings(config.to, config.kafka)
    with (
        _spool_folder(config) as folder,
        Publisher(kafka, source, folder, time.monotonic, int(config.spool.bytes), own) as publisher,
    ):
        yield KafkaSink(publisher)
    _tell_what_is_left(publisher.statistics, config)


def _tell_what_is_left(counts: "Statistics", config: CollectConfig) -> None:
    if not counts.spooled:
        return
    if config.spool.dir is None:
        why = f"{counts.spooled} messages were not taken, and are lost with the temporary spool"
        raise TransportError(str(config.to), why, "name a folder with --spool") from counts.error
    log.warning("%d messages wait in %s for the next start", counts.spooled, config.spool.dir)


@contextmanager
def _spool_folder(config: CollectConfig) -> Iterator[Path]:
    if config.spool.dir:
        yield config.spool.dir
        return
    log.warning("without --spool, what waits while Kafka is away is lost with this process")
    with TemporaryDirectory(prefix="tailrace-spool-") as folder:
        yield Path(folder)


class KafkaSink:
    def __init__(self, publisher: "Publisher") -> None:
        from cli.observed import PUBLISHED

        self._publisher = publisher
        self._told: TailraceError | None = None
        self.metrics = (Observed(lambda: publisher.statistics, PUBLISHED),)

    def add(self, table: str, batch: "pa.RecordBatch") -> None:
        self._publisher.publish(table, batch)
        if table == COVERAGE.name:  # which ends an interval
            self._publisher.flush()
        self._tell_error()

    def _tell_error(self) -> None:
        error = self._publisher.statistics.error
        if error is not None and error is not self._told:
            log.warning("%s", error)
            self._told = error

    def faults(self) -> list[str]:
        """A broker that is away is no fault: the spool takes what comes."""
        return []


@contextmanager
def _to_lake(config: CollectConfig) -> Iterator[Sink]:
    from cli.knowing import knowledge
    from cli.pipeline import Pipeline
    from cli.running import now
    from cli.turns import Turns
    from cli.upkeep import kept_up
    from store.lake import Lake

    lake = Lake.create(str(config.lake))
    with kept_up(lake, now), knowledge(config, lake, now, log.warning) as known:
        pipeline = Pipeline(lake, known, now)
        into = LakeSink(pipeline, known, Turns(pipeline, known, config.round))
        into.start()
        try:
            yield into
        finally:
            into.close()


class LakeSink:
    """Rounds end in a thread of their own, so that nobody waits for them who takes packets."""

    def __init__(self, pipeline: "Pipeline", known: "Knowledge", turns: "Turns") -> None:
        from cli.observed import ENRICHED

        self._pipeline, self._known, self._turns = pipeline, known, turns
        self._waiting: Queue[tuple[str, pa.RecordBatch] | None] = Queue(MOST_BATCHES)
        self._thread = Thread(target=self._run, name="enrich", daemon=True)
        self._ended = False
        self._fault: BaseException | None = None
        self.metrics = (Observed(lambda: pipeline.statistics, ENRICHED), *known.metrics)

    def start(self) -> None:
        self._thread.start()

    def add(self, table: str, batch: "pa.RecordBatch") -> None:
        if self._fault:
            raise self._fault
        self._waiting.put((table, batch))

    def faults(self) -> list[str]:
        return self._known.faults()

    def close(self) -> None:
        """Write what waits; raises what the thread met."""
        self._waiting.put(None)
        self._thread.join()
        if self._fault:
            raise self._fault

    def _run(self) -> None:
        try:
            while not self._ended:
                self._take_turn()
            self._pipeline.end()
        except BaseException as fault:  # told to whoever adds next
            self._fault = fault
        while not self._ended:  # nobody is to wait for room
            self._next()

    def _take_turn(self) -> None:
        added = self._next()
        if added:
            self._pipeline.add(*added)
        if self._turns.is_due():
            self._pipeline.turn()
            self._turns.begin()

    def _next(self) -> "tuple[str, pa.RecordBatch] | None":
        try:
            added = self._waiting.get(timeout=TURN_S)
        except Empty:
            return None
        self._ended = added is None
        return added
