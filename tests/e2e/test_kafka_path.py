"""A batch from a collector to an enricher, over a broker that runs."""

from pathlib import Path
from threading import Event, Thread

import pyarrow as pa
import pytest

from contract.dns import DNS
from contract.flows import FLOWS
from contract.kafka import KafkaSettings
from contract.wire import Envelope, MessageId, encode
from enricher.consume import Callbacks, Consumer
from tests.support.broker import Broker, until
from tests.support.published import SESSION_SECONDS, Lake, consumer, numbered, numbers, publish_each, publisher, take
from tests.support.rows import batch

pytestmark = pytest.mark.service


def test_batches_of_every_table_arrive_as_they_were(broker: Broker, tmp_path: Path) -> None:
    settings = broker.settings("every-table")
    sent = {FLOWS.name: batch(FLOWS, 20_000), DNS.name: batch(DNS, 100), "coverage": numbered(7)}
    with publisher(settings, tmp_path / "spool") as ours:
        for table, rows in sent.items():
            ours.publish(table, rows)
    found: dict[str, list[pa.RecordBatch]] = {table: [] for table in sent}
    with consumer(settings, Lake()) as one:
        while one.counts.rows < 20_101:
            for message in one.poll(1):
                assert (message.envelope.cluster, message.envelope.node) == ("prod", "n1")
                found[message.envelope.table].append(message.batch)
    for table, batches in found.items():
        assert pa.Table.from_batches(batches).equals(pa.Table.from_batches([sent[table]]))
    assert len(found["flows"]) > 1  # more than one message may hold


def test_what_the_lake_has_wins_over_what_kafka_was_told(broker: Broker, tmp_path: Path) -> None:
    settings = broker.settings("offsets")
    publish_each(settings, tmp_path / "spool", range(20))
    lake = Lake()
    with consumer(settings, lake) as one:
        take(one, lake, 20)
        assert one.commit(lake.offsets)
        (partition,) = lake.offsets
    before, beyond, nothing = Lake(), Lake(), Lake()
    before.offsets, beyond.offsets = {partition: 15}, {partition: 1000}
    for other, rows, restarted in ((before, list(range(15, 20)), 0), (beyond, list(range(20)), 1)):
        with consumer(settings, other) as one:
            take(one, other, len(rows))
            assert other.rows == rows
            assert one.counts.restarted == restarted
    with consumer(settings, nothing) as one, publisher(settings, tmp_path / "spool") as ours:
        ours.publish("coverage", numbered(20))
        ours.flush()
        take(one, nothing, 1)
        assert nothing.rows == [20]


def test_message_that_was_sent_twice_is_given_out_once_also_by_the_next_reader(broker: Broker) -> None:
    settings = broker.settings("doubles")
    headers = [Envelope("coverage", 1, MessageId("e1", number)).headers() for number in range(3)]
    for number in (0, 1, 0):
        broker.put(settings.topic, encode(numbered(number)), headers[number])
    lake = Lake()
    with consumer(settings, lake) as one:
        take(one, lake, 2)
        while one.counts.doubles < 1:
            lake.write(one.poll(1), one.positions)
    for number in (1, 2, 0):
        broker.put(settings.topic, encode(numbered(number)), headers[number])
    with consumer(settings, lake) as one:
        take(one, lake, 3)
        while one.counts.doubles < 2:
            lake.write(one.poll(1), one.positions)
        assert one.counts.messages == 1
    assert lake.rows == [0, 1, 2]


class Member:
    """A reader in a thread of its own, as in a process of its own."""

    def __init__(self, settings: KafkaSettings) -> None:
        self.owned: set[int] = set()
        self._left = Event()
        self._reader = Consumer(
            settings, Callbacks(self._assigned, self.owned.difference_update), settings.topic, SESSION_SECONDS
        )
        self._thread = Thread(target=self._run)
        self._thread.start()

    def _assigned(self, partitions: frozenset[int]) -> dict[int, int]:
        self.owned |= partitions
        return {}

    def _run(self) -> None:
        while not self._left.is_set():
            self._reader.poll(0.2)
        self._reader.close()

    def leave(self) -> None:
        self._left.set()
        self._thread.join()


def test_a_second_reader_takes_half_and_gives_it_back(broker: Broker) -> None:
    settings = broker.settings("rebalance")
    broker.create(settings.topic, 4)
    first = Member(settings)
    try:
        until(lambda: first.owned == {0, 1, 2, 3})
        second = Member(settings)
        try:
            until(lambda: (len(first.owned), len(second.owned)) == (2, 2))
            assert first.owned | second.owned == {0, 1, 2, 3}
        finally:
            second.leave()
        until(lambda: first.owned == {0, 1, 2, 3})
    finally:
        first.leave()


def test_reader_that_was_overtaken_begins_again_where_the_lake_is(broker: Broker, tmp_path: Path) -> None:
    settings = broker.settings("overtaken")
    publish_each(settings, tmp_path / "spool", range(10))
    lake = Lake()
    with consumer(settings, lake) as one:
        take(one, lake, 10)
        assert (one.counts.partitions, one.counts.behind) == (4, 0)
        (partition,) = lake.offsets
        lake.offsets[partition] = 7  # where another has it
        one.begin_again()
        take(one, lake, 13)
        assert one.commit(lake.offsets)
    assert lake.rows == [*range(10), *range(7, 10)]


def test_callback_that_fails_is_called_again_and_nothing_was_passed_over(broker: Broker, tmp_path: Path) -> None:
    settings = broker.settings("callback")
    publish_each(settings, tmp_path / "spool", range(5))
    failures = iter([ConnectionError("the lake is away"), None])

    def assigned(partitions: frozenset[int]) -> dict[int, int]:
        if failure := next(failures):
            raise failure
        return {}

    found: list[int] = []
    with Consumer(settings, Callbacks(assigned, lambda partitions: None), settings.topic, 2.0) as one:
        with pytest.raises(ConnectionError):
            while True:
                one.poll(0.2)
        while len(found) < 5:
            found += numbers(one.poll(0.2))
    assert found == list(range(5))
