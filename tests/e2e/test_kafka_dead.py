"""What cannot be taken is kept with the reason, before anybody commits beyond it; what is around it arrives."""

from typing import Any

import pytest
from kafka.record import default_records

from contract.coverage import COVERAGE
from contract.errors import TransportError
from contract.kafka import checksum
from contract.wire import Envelope, Header, MessageId, encode
from enricher.consume import Consumer
from tests.support.broker import Broker, until
from tests.support.published import SESSION_SECONDS, Lake, consumer, numbered, take
from tests.support.rows import batch

pytestmark = pytest.mark.service

GOOD = encode(numbered(7))


def headers(number: int, **changed: bytes | None) -> list[Header]:
    told = dict(Envelope(COVERAGE.name, 1, MessageId("e1", number)).headers()) | changed
    return [(name, value) for name, value in told.items() if value is not None]


def test_dead_letters_have_the_reason_and_where_they_come_from(broker: Broker) -> None:
    settings = broker.settings("dead")
    broker.create(settings.topic, 1)
    bad: dict[str, tuple[bytes | None, list[Header]]] = {
        "unknown_version": (GOOD, headers(1, version=b"99")),
        "unknown_table": (GOOD, headers(2, table=b"pets")),
        "no_table": (GOOD, []),
        "bad_header": (GOOD, headers(3, rows=b"\xff\x00")),
        "bad_rows": (GOOD, headers(4, rows=b"2")),
        "other_schema": (encode(batch(COVERAGE, 1).drop_columns(["node"])), headers(5)),
        "not_arrow": (GOOD[: len(GOOD) // 2], headers(6)),
    }
    broker.put(settings.topic, GOOD, headers(100))
    for value, told in bad.values():
        broker.put(settings.topic, value, told)
    broker.put(settings.topic, None, headers(7))
    broker.put(settings.topic, GOOD, headers(101))
    lake = Lake()
    with consumer(settings, lake) as one:
        take(one, lake, 2)
        assert (one.counts.dead, one.counts.messages, lake.offsets) == (8, 2, {0: 10})
    letters = broker.messages(settings.dead_topic)
    assert [told["reason"].decode() for told, _ in letters] == [*bad, "not_arrow"]
    assert [int(told["source_offset"]) for told, _ in letters] == list(range(1, 9))
    assert {(told["source_topic"], told["source_partition"]) for told, _ in letters} == {(b"dead", b"0")}
    assert [value for _, value in letters] == [*(value for value, _ in bad.values()), None]
    assert letters[0][0]["version"] == b"99"
    assert all(told["what"].decode().isprintable() for told, _ in letters)


def test_nothing_is_passed_over_while_dead_letters_cannot_be_written(broker: Broker) -> None:
    settings = broker.settings("undead")
    broker.create(settings.topic, 1)
    for number in range(12):
        broker.put(settings.topic, b"junk" if number == 9 else GOOD, headers(number))
    lake = Lake()
    with consumer(settings, lake) as one:
        take(one, lake, 8)  # as many as one poll gives; the others are in the client's memory
        before = dict(one.positions)
        with broker.away(), pytest.raises(TransportError, match="does not answer"):
            one.poll(1)
        assert before == {0: 8}
        take(one, lake, 11)
        assert (lake.offsets, one.counts.dead, one.counts.doubles) == ({0: 12}, 1, 0)
    assert len(broker.messages(settings.dead_topic)) == 1


class BadName(str):
    def encode(self, *_: Any) -> bytes:
        return b"\xff\xfe"


def test_what_cannot_be_parsed_stops_nobody(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = broker.settings("corrupt")
    broker.create(settings.topic, 1)
    for number in range(8):
        also = {1: [(BadName("ab"), b"v")], 3: [("is", b"corrupt")], 4: [("is", b"corrupt")], 7: [("is", b"corrupt")]}
        broker.put(settings.topic, encode(numbered(number)), headers(number) + also.get(number, []))
    monkeypatch.setattr(default_records, "calc_crc32c", lambda octets: checksum(octets) ^ (b"corrupt" in bytes(octets)))
    lake = Lake()
    told: list[tuple[int, int]] = []
    callbacks = lake.callbacks()._replace(corrupted=lambda one: told.append((one.begin, one.end)))
    with Consumer(settings, callbacks, group=settings.topic, session=SESSION_SECONDS) as one:
        take(one, lake, 4)
        until(lambda: one.poll(0.2) == [] and one.counts.corrupt == 3)
        assert (one.counts.dead, one.counts.missed, one.positions) == (1, 0, {0: 8})
        assert one.commit(one.positions)
    assert lake.rows == [0, 2, 5, 6]
    assert told == [(3, 4), (4, 5), (7, 8)]
    ((letter, value),) = broker.messages(settings.dead_topic)
    assert (letter["reason"], letter["source_offset"], value) == (b"bad_header", b"1", encode(numbered(1)))
