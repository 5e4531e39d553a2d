"""Whatever octets stand where record batches should, those that can be parsed are given out, and reading goes on behind them."""

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka.record.default_records import DefaultRecordBatchBuilder
from kafka.record.memory_records import MemoryRecords
from kafka.structs import TopicPartition

from enricher.corrupt import Corrupt, pass_corrupt

PLACE = TopicPartition("flow", 0)
HIGHWATER = 9
LENGTH, MAGIC, LAST_OFFSET, COUNT = 8, 16, 23, 57  # where a batch has them


def records(first: int, compression: int = 0) -> bytearray:
    """A batch of three messages."""
    builder = DefaultRecordBatchBuilder(2, compression, 0, -1, -1, -1, 1 << 20)
    for number in range(3):
        builder.append(number, 1000 + number, b"n1", b"value %d" % (first + number) * 10, [("id", b"x")])
    octets = bytearray(builder.build())
    octets[:8] = first.to_bytes(8, "big")
    return octets


def read(*batches: bytes, begin: int = 0) -> tuple[list[int], list[Corrupt], int]:
    """Offsets given out, what was told, and where the next fetch begins; as kafka-python's fetcher asks."""
    told: list[Corrupt] = []
    kafka = SimpleNamespace(_fetcher=SimpleNamespace(), highwater=lambda place: HIGHWATER)
    pass_corrupt(kafka, told.append)
    part = kafka._fetcher.PartitionRecords(begin, PLACE, MemoryRecords(b"".join(batches)))
    offsets: list[int] = []
    for _ in range(20):
        if part:
            offsets += [record.offset for record in part.take(2)]
    assert not part
    return offsets, told, part.next_fetch_offset


def changed(batch: bytearray, at: int, octets: bytes) -> bytearray:
    batch[at : at + len(octets)] = octets
    return batch


@pytest.mark.parametrize("compression", [0, 1])
def test_batch_of_another_checksum_is_passed_over(compression: int) -> None:
    bad = changed(records(3, compression), -3, b"!")
    offsets, (told,), following = read(records(0), bad, records(6))
    assert (offsets, following) == ([0, 1, 2, 6, 7, 8], 9)
    assert (told.place, told.begin, told.end) == (PLACE, 3, 6)
    assert "crc" in told.why
    assert read(records(0), bad)[::2] == ([0, 1, 2], 6)
    assert read(bad, begin=4)[::2] == ([], 6)


def test_what_the_last_batch_says_is_not_believed_beyond_what_kafka_has() -> None:
    for last, end in ((2**31 - 1, HIGHWATER), (2**32 - 5, 4), (0, 4)):
        bad = changed(records(3), LAST_OFFSET, last.to_bytes(4, "big"))
        assert read(records(0), bad)[2] == end


def test_batch_too_short_to_be_one_ends_the_fetch() -> None:
    for length in (0, 10, 2**32 - 12):
        bad = changed(records(3), LENGTH, length.to_bytes(4, "big"))
        offsets, (told,), following = read(records(0), bad, records(6))
        assert (offsets, told.begin, following) == ([0, 1, 2], 3, 4)


@given(st.data())
def test_reading_ends_whatever_was_changed(data: st.DataObject) -> None:
    bad = records(3, data.draw(st.sampled_from([0, 1])))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(LENGTH, len(bad) - 1))
        bad[place] = data.draw(st.integers(0, 255))
    offsets, _, following = read(records(0), bad, records(6))
    assert offsets[:3] == [0, 1, 2]
    assert following >= 3  # where its length goes beyond the fetch, it is one that was cut short


class BadName(str):
    def encode(self, *_: Any) -> bytes:
        return b"\xff\xfe"


def test_name_of_a_header_that_is_not_utf_8(monkeypatch: pytest.MonkeyPatch) -> None:
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 1 << 20)
    for number in range(3):
        told = [("id", b"\xff"), (BadName("ab"), b"v")] if number == 1 else [("id", b"x")]
        builder.append(number, 1000, b"n1", b"\xfe value", told)
    kafka = SimpleNamespace(_fetcher=SimpleNamespace())
    pass_corrupt(kafka, lambda _: pytest.fail("told as corrupt"))
    part = kafka._fetcher.PartitionRecords(0, PLACE, MemoryRecords(bytes(builder.build())))
    given_out = [(one.offset, one.value, one.headers) for one in part.take(9)]
    assert given_out == [
        (0, b"\xfe value", [("id", b"x")]),
        (1, b"\xfe value", [("id", b"\xff"), ("\ufffd\ufffd", b"v")]),
        (2, b"\xfe value", [("id", b"x")]),
    ]
