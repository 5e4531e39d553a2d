"""Kafka is away, or comes back without its topics: memory and disk stay within bounds, and what is lost is counted."""

import gc
import random
import time
from pathlib import Path
from socket import create_server

import pyarrow as pa
import pytest
from kafka import KafkaProducer

from collector.transport.delivery import MAX_IN_FLIGHT_BYTES
from contract.errors import TransportError
from contract.kafka import KafkaSettings, connected
from contract.wire import Envelope, MessageId, decode, opened
from enricher.consume import Callbacks, Consumer
from tests.support.broker import Broker, running, until
from tests.support.published import SESSION_SECONDS, numbered, numbers, publisher
from tests.support.publishing import Publishing

pytestmark = pytest.mark.service

SPOOL_BYTES = 64 << 20
DRAW = random.Random(7)


def large(number: int) -> pa.RecordBatch:
    """A row with texts of 900,000 octets that compress to about half."""
    row = numbered(number)
    place = row.schema.get_field_index("discarded")
    texts = [(DRAW.randbytes(2_000).hex(), 1) for _ in range(225)]
    return row.set_column(place, row.schema.field(place), pa.array([texts], row.schema.field(place).type))


def resident_bytes() -> int:
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) << 10


def arrived(broker: Broker, topic: str) -> list[int]:
    """Numbers in their order, doubles left out."""
    found: dict[MessageId, int] = {}
    for headers, value in broker.messages(topic):
        envelope = opened(list(headers.items()))
        batch = decode(Envelope("coverage", 1, envelope.id), value)
        found.setdefault(envelope.id, batch.column("packets")[0].as_py())
    return list(found.values())


def test_memory_and_disk_are_bounded_while_kafka_is_away(broker: Broker, tmp_path: Path) -> None:
    settings = broker.settings("away")
    count = 200
    with publisher(settings, tmp_path / "spool", SPOOL_BYTES) as ours:
        ours.publish("coverage", large(0))
        ours.flush()
        until(lambda: ours.statistics.published == 1)
        with broker.away():
            before = resident_bytes()
            most = 0
            for number in range(1, count):
                ours.publish("coverage", large(number))
                ours.flush()
                now = ours.statistics
                assert now.in_flight_bytes <= MAX_IN_FLIGHT_BYTES + settings.message_bytes
                most = max(most, now.spooled_bytes)
            assert 0.8 * SPOOL_BYTES < most <= SPOOL_BYTES
            assert resident_bytes() - before < 64 << 20  # of 90 MB of messages
            assert now.given_up == now.given_up_rows > 0
            assert "full" in str(now.error)
        until(lambda: not ours.statistics.spooled)
        now = ours.statistics
    assert now.published + now.given_up == count
    assert now.published_rows + now.given_up_rows == count
    found = arrived(broker, settings.topic)
    assert found == sorted(found)
    assert len(found) >= now.published
    assert found[-20:] == list(range(count - 20, count))


def test_what_is_not_acknowledged_at_the_end_goes_out_after_the_next_start(broker: Broker, tmp_path: Path) -> None:
    settings = broker.settings("ended")
    with broker.away():
        ours = publisher(settings, tmp_path / "spool")
        with ours:
            for number in range(5):
                ours.publish("coverage", numbered(number))
            ours.close(seconds=0.5)
        assert (ours.statistics.published, ours.statistics.spooled) == (0, 1)
    with publisher(settings, tmp_path / "spool") as ours:
        until(lambda: not ours.statistics.spooled)
    (message,) = broker.messages(settings.topic)
    assert message[0]["rows"] == b"5"


def test_publisher_that_is_killed_again_and_again_loses_nothing(broker: Broker, tmp_path: Path) -> None:
    settings = broker.settings("killed")
    publishing = Publishing(settings, tmp_path / "spool")
    try:
        for first in range(0, 200, 100):
            publishing.publish(first, 100)
            publishing.crash()
        publishing.end()
    finally:
        publishing.kill()
    assert arrived(broker, settings.topic) == list(range(200))


def test_lingering_batches_go_out_by_themselves(broker: Broker, tmp_path: Path) -> None:
    settings = broker.settings("linger")
    with publisher(settings, tmp_path / "spool") as ours:
        started = time.monotonic()
        for number in range(10):
            ours.publish("coverage", numbered(number))
        until(lambda: ours.statistics.published_rows == 10, seconds=10)
        assert ours.statistics.published == 1  # they shared a message
        assert time.monotonic() - started > 1


def test_broker_that_comes_back_without_its_topics(tmp_path: Path) -> None:
    with running(tmp_path) as broker, publisher(broker.settings("lost"), tmp_path / "spool") as ours:
        ours.publish("coverage", numbered(0))
        ours.flush()
        until(lambda: ours.statistics.published == 1)
        broker.kill()
        ours.publish("coverage", numbered(1))
        ours.flush()
        broker.start()
        until(lambda: ours.statistics.published == 2)
        assert arrived(broker, "lost")[-1:] == [1]


def test_attempt_to_reach_kafka_leaves_nothing_open() -> None:
    """No garbage is collected meanwhile: a collector that has little to do may not do it for hours."""
    with create_server(("127.0.0.1", 0)) as silent:
        settings = KafkaSettings((f"127.0.0.1:{silent.getsockname()[1]}",))
        before = open_files()
        gc.disable()
        try:
            with pytest.raises(TransportError, match="does not answer"):
                connected(KafkaProducer, settings)
            assert open_files() == before
        finally:
            gc.enable()


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_topic_that_is_made_anew_while_it_is_read_is_read_from_its_beginning(tmp_path: Path) -> None:
    with running(tmp_path) as broker:
        broker.create("anew", 1)
        with publisher(broker.settings("anew"), tmp_path / "one") as ours:
            for number in range(5):
                ours.publish("coverage", numbered(number))
                ours.flush()
        callbacks = Callbacks(lambda partitions: {}, lambda partitions: None)
        with Consumer(broker.settings("anew"), callbacks, session=SESSION_SECONDS) as one:
            found: list[int] = []
            until(lambda: found.extend(asked(one)) or len(found) == 5)
            broker.kill()
            broker.start()  # which has no topics; the first who asks for one makes it
            with publisher(broker.settings("anew"), tmp_path / "two") as ours:
                ours.publish("coverage", numbered(7))
            until(lambda: found.extend(asked(one)) or len(found) == 6)
    assert found == [0, 1, 2, 3, 4, 7]


def asked(one: Consumer) -> list[int]:
    try:
        return numbers(one.poll(0.5))
    except TransportError:
        return []
