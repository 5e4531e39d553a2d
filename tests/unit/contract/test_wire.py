"""A batch survives the wire; what is no batch of ours is refused with the reason, before it costs memory."""

import hashlib
import struct
import subprocess
import sys

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.columns import Table
from contract.coverage import COVERAGE
from contract.dns import DNS
from contract.errors import Refused, WireError
from contract.flows import FLOWS
from contract.wire import (
    MAX_DECODED,
    MAX_HEADER,
    MAX_VALUE,
    TABLES,
    VERSION,
    Envelope,
    MessageId,
    decode,
    encode,
    opened,
)
from tests.support.rows import batch

# What a version of the wire carries. A changed schema is a new version with a line of its own; no line is ever changed.
FINGERPRINTS = {1: "a08cdedbff984a356ff744805467d1b94fb7e39d4dab7e8a47f39c9e75071a2e"}

ID = MessageId("e1", 7)


def envelope(table: Table, rows: int) -> Envelope:
    return Envelope(table.name, rows, ID, "prod", "n1")


def refused(value: bytes | None, table: Table = COVERAGE, rows: int = 3) -> Refused:
    with pytest.raises(WireError) as caught:
        decode(envelope(table, rows), value)
    assert str(caught.value).isprintable()
    return caught.value.reason


def stream(*batches: pa.RecordBatch, compression: str | None = "zstd") -> bytes:
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with pa.ipc.new_stream(sink, batches[0].schema, options=options) as writer:
        for one in batches:
            writer.write_batch(one)
    return bytes(sink.getvalue())


def with_column(table: Table, name: str, values: pa.Array) -> pa.RecordBatch:
    good = batch(table, len(values))
    columns = [values if field.name == name else good.column(field.name) for field in table.collected]
    return pa.RecordBatch.from_arrays(columns, schema=table.collected)


def test_columns_on_the_wire_are_those_of_its_version() -> None:
    lines = [
        f"{table.name}.{field.name} {field.type} {field.nullable}"
        for table in TABLES.values()
        for field in table.collected
    ]
    found = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    assert FINGERPRINTS[VERSION] == found, "the contract changed: raise contract.wire.VERSION, and add its fingerprint"


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
@pytest.mark.parametrize("rows", [0, 1, 1000])
def test_batch_comes_back_as_it_was(table: Table, rows: int) -> None:
    sent = batch(table, rows)
    assert decode(envelope(table, rows), encode(sent)).equals(sent, check_metadata=True)


def test_slice_takes_only_its_own_rows_along() -> None:
    whole = batch(FLOWS, 10_000)
    part = whole.slice(5_000, 10)
    assert len(encode(part)) < len(encode(whole)) / 20
    assert decode(envelope(FLOWS, 10), encode(part)).equals(part)


def test_headers_come_back_as_they_were() -> None:
    for one in (Envelope("flows", 5, ID, "prod", "n1"), Envelope("dns", 0, MessageId("ff", 2**63 - 1))):
        assert opened(one.headers()) == one


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"table": None}, Refused.NO_TABLE),
        ({"table": b"pets"}, Refused.UNKNOWN_TABLE),
        ({"table": b"assignments"}, Refused.UNKNOWN_TABLE),
        ({"table": b"\xff"}, Refused.BAD_HEADER),
        ({"version": None}, Refused.UNKNOWN_VERSION),
        ({"version": b"2"}, Refused.UNKNOWN_VERSION),
        ({"node": b"n" * (MAX_HEADER + 1)}, Refused.BAD_HEADER),
        ({"rows": b"-1"}, Refused.BAD_HEADER),
        ({"rows": "²".encode()}, Refused.BAD_HEADER),
        ({"rows": None}, Refused.BAD_HEADER),
        ({"id": None}, Refused.BAD_HEADER),
        ({"id": b"e1/9223372036854775808"}, Refused.BAD_HEADER),
        ({"id": b"e1/" + b"9" * 400}, Refused.BAD_HEADER),
    ],
)
def test_headers_that_are_refused(headers: dict[str, bytes | None], reason: Refused) -> None:
    told = dict(Envelope("flows", 5, ID).headers()) | headers
    with pytest.raises(WireError) as caught:
        opened([(name, value) for name, value in told.items() if value is not None])
    assert caught.value.reason is reason


def test_first_of_a_header_told_twice_counts() -> None:
    told = [*Envelope("flows", 5, ID).headers(), ("table", b"dns"), ("unknown", b"\xff" * 10_000)]
    assert opened(told).table == "flows"


def test_other_schemas_are_refused() -> None:
    rows = batch(COVERAGE, 3)
    metadata = rows.replace_schema_metadata({"a": "b"})
    for other in (batch(DNS, 3), rows.drop_columns(["node"]), rows.select(rows.schema.names[::-1]), metadata):
        assert refused(stream(other)) is Refused.OTHER_SCHEMA


def test_codes_in_place_of_texts_are_refused() -> None:
    rows = batch(COVERAGE, 3)
    columns = [column.dictionary_encode() if column.type == pa.string() else column for column in rows.columns]
    assert refused(stream(pa.RecordBatch.from_arrays(columns, rows.schema.names))) is Refused.OTHER_SCHEMA


def test_null_where_the_contract_has_none() -> None:
    assert refused(stream(with_column(COVERAGE, "packets", pa.nulls(3, pa.int64())))) is Refused.BAD_ROWS


@pytest.mark.parametrize("time", [-1, 7_258_118_400_000_000, 253_402_300_800_000_000, 2**63 - 1, -(2**63)])
def test_times_that_no_collector_tells(time: int) -> None:
    times = pa.array([0, time, 7_258_118_399_999_999], pa.int64()).cast(COVERAGE.schema.field("from_time").type)
    value = stream(with_column(COVERAGE, "from_time", times))
    assert refused(value) == Refused.BAD_ROWS


def test_text_that_is_not_utf_8() -> None:
    binary = pa.array([b"\xff", b"b", b"c"], pa.binary())
    assert refused(stream(with_column(COVERAGE, "source", binary.view(pa.string())))) is Refused.BAD_ROWS


def test_other_number_of_rows_than_the_header_says() -> None:
    assert refused(encode(batch(COVERAGE, 3)), rows=4) is Refused.BAD_ROWS


def test_no_batch_two_batches_no_value() -> None:
    one = batch(COVERAGE, 3)
    assert refused(None) is Refused.NOT_ARROW
    assert refused(b"") is Refused.NOT_ARROW
    assert refused(stream(one, one)) is Refused.NOT_ARROW
    assert refused(one.schema.serialize().to_pybytes()) is Refused.NOT_ARROW


def test_kinds_of_messages_in_another_order() -> None:
    value = encode(batch(COVERAGE, 3))
    schema = COVERAGE.collected.serialize().to_pybytes()
    assert value.startswith(schema)
    assert refused(value[len(schema) :]) is Refused.NOT_ARROW
    assert refused(schema + value) is Refused.NOT_ARROW


def test_long_message_is_refused_unread() -> None:
    assert refused(bytes(MAX_VALUE + 1)) is Refused.TOO_LARGE


PEAK = """
import sys
import pyarrow as pa
from contract.errors import WireError
from contract.wire import Envelope, MessageId, decode
try:
    decode(Envelope("coverage", 3, MessageId("e1", 7)), sys.stdin.buffer.read())
except WireError:
    pass
print(pa.default_memory_pool().max_memory())
"""


def peak_of(value: bytes) -> int:
    """Octets that Arrow held at once, in a process that only decodes."""
    done = subprocess.run([sys.executable, "-c", PEAK], input=value, capture_output=True, check=True, timeout=60)
    return int(done.stdout)


def test_good_message_takes_what_it_declares_which_shows_that_it_is_measured() -> None:
    value = stream(with_column(COVERAGE, "source", pa.array(["a" * (5 << 20)] * 3)))
    assert 15 << 20 <= peak_of(value) < 17 << 20


@pytest.mark.parametrize("compression", ["zstd", "lz4"])
def test_bomb_is_refused_before_it_goes_off(compression: str) -> None:
    value = stream(with_column(COVERAGE, "source", pa.array(["a" * (6 << 20)] * 3)), compression=compression)
    assert len(value) < MAX_VALUE
    assert refused(value) is Refused.TOO_LARGE
    assert peak_of(value) < 1 << 20


def declared_at(value: bytes, length: int) -> int:
    """Where the message declares a buffer of so many octets."""
    return value.index(struct.pack("<q", length) + b"\x28\xb5\x2f\xfd")


@pytest.mark.parametrize("lie", [2**62, MAX_DECODED + 1, -2, -(2**63)])
def test_length_that_lies_is_refused(lie: int) -> None:
    rows = with_column(COVERAGE, "source", pa.array(["a" * 1000] * 3))
    value = bytearray(stream(rows))
    struct.pack_into("<q", value, declared_at(value, 3000), lie)
    assert refused(bytes(value)) in (Refused.TOO_LARGE, Refused.NOT_ARROW)
    assert peak_of(bytes(value)) < 1 << 20


@pytest.mark.parametrize("lie", [0, 8, 2999, 3001, 100_000])
def test_length_that_lies_within_bounds_is_found_when_it_is_decompressed(lie: int) -> None:
    rows = with_column(COVERAGE, "source", pa.array(["a" * 1000] * 3))
    value = bytearray(stream(rows))
    struct.pack_into("<q", value, declared_at(value, 3000), lie)
    assert refused(bytes(value)) in (Refused.NOT_ARROW, Refused.BAD_ROWS)


@given(st.binary(max_size=300))
def test_any_octets_are_refused_and_nothing_else_happens(value: bytes) -> None:
    refused(value)


@settings(max_examples=300)
@given(st.data())
def test_message_changed_anywhere_gives_good_rows_or_a_reason(data: st.DataObject) -> None:
    value = bytearray(GOOD[data.draw(st.integers(0, len(GOOD) - 1))])
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(value) - 1))
        value[place] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(value)) | st.just(len(value)))
    try:
        found = decode(envelope(COVERAGE, 3), bytes(value[:cut]))
    except WireError:
        return
    found.validate(full=True)
    COVERAGE.validate(found)


GOOD = [stream(batch(COVERAGE, 3), compression=compression) for compression in ("zstd", "lz4", None)]


@pytest.mark.parametrize("value", GOOD, ids=["zstd", "lz4", "plain"])
def test_every_beginning_of_a_message_is_refused(value: bytes) -> None:
    whole = [cut for cut in range(len(value)) if not _is_refused(value[:cut])]
    assert not [cut for cut in whole if cut < len(value) - 8]  # the last eight octets only say that nothing follows


def _is_refused(value: bytes) -> bool:
    try:
        decode(envelope(COVERAGE, 3), value)
    except WireError:
        return True
    return False
