"""What no collector can have told is refused, so that nothing that is taken ends an enricher."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest

from collector.kernels.layout import RECORD_TEXT
from contract.columns import Table
from contract.errors import Refused, WireError
from contract.ranges import MAX_DATA, MAX_TEXT, number_range
from contract.wire import TABLES, Envelope, MessageId, decode, encode
from tests.support.rows import batch

ANSWER = {"name": "x", "type": "A", "ttl": 60, "data": "192.0.2.1"}
EXTREME = {pa.int16(): 2**15, pa.int32(): 2**31, pa.int64(): 2**63}


def paths(path: str, kind: pa.DataType) -> Iterator[tuple[str, pa.DataType]]:
    if pa.types.is_map(kind):
        yield from paths(path, kind.item_type)
    elif pa.types.is_list(kind):
        yield from paths(path, kind.value_type)
    elif pa.types.is_struct(kind):
        for field in kind:
            yield from paths(f"{path}.{field.name}", field.type)
    else:
        yield path, kind


NUMBERS = [
    (path, kind)
    for table in TABLES.values()
    for field in table.collected
    for path, kind in paths(f"{table.name}.{field.name}", field.type)
    if pa.types.is_integer(kind)
]


def sent(path: str, value: Any) -> pa.RecordBatch:
    """As it comes out of the wire with this in its middle row."""
    name, column, *inner = path.split(".")
    table = TABLES[name]
    good = batch(table, 3)
    place = good.schema.get_field_index(column)
    field = table.collected.field(column)
    values = [good.column(column)[1].as_py(), _whole(field.type, inner, value), good.column(column)[2].as_py()]
    changed = good.set_column(place, field, pa.array(values, field.type))
    return decode(Envelope(name, 3, MessageId("e1", 1)), encode(changed))


def _whole(kind: pa.DataType, inner: list[str], value: Any) -> Any:
    if pa.types.is_map(kind):
        return [("reason", value)]
    return [ANSWER | {inner[0]: value}] if inner else [value] if pa.types.is_list(kind) else value


def refused(path: str, value: Any) -> str:
    with pytest.raises(WireError) as caught:
        sent(path, value)
    assert caught.value.reason is Refused.BAD_ROWS
    return str(caught.value)


@pytest.mark.parametrize(("path", "kind"), NUMBERS, ids=[path for path, _ in NUMBERS])
def test_numbers_up_to_their_bounds(path: str, kind: pa.DataType) -> None:
    least, most = number_range(path)
    for good in (least, most):
        sent(path, good)
    for bad in {least - 1, most + 1, EXTREME[kind] - 1, -EXTREME[kind]}:
        if not least <= bad <= most and bad < EXTREME[kind]:
            assert path in refused(path, bad)


def test_ports_and_times_to_live_are_as_long_as_on_the_wire() -> None:
    found = {path: number_range(path) for path, _ in NUMBERS}
    assert {found[path] for path in found if path.endswith("_port")} == {(0, 65535)}
    assert found["dns.answers.ttl"] == found["dns.negative_ttl"] == (0, 2**32 - 1)
    assert {path for path, (least, _) in found.items() if least} == {"coverage.clock_skew_us"}


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan"), float("inf")])
def test_share_that_is_none(share: float) -> None:
    assert "sampled_ratio" in refused("coverage.sampled_ratio", share)


@pytest.mark.parametrize("path", ["flows.tls_sni", "flows.alpn", "dns.qname", "dns.answers.name", "coverage.source"])
def test_texts_up_to_their_bound(path: str) -> None:
    sent(path, "x" * MAX_TEXT)
    assert path in refused(path, "x" * (MAX_TEXT + 1))


def test_data_of_an_answer_is_as_long_as_a_collector_writes() -> None:
    assert MAX_DATA >= RECORD_TEXT
    sent("dns.answers.data", "x" * MAX_DATA)
    assert "data" in refused("dns.answers.data", "x" * (MAX_DATA + 1))


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_nothing_but_null_is_within_all_bounds(table: Table) -> None:
    good = batch(table, 3)
    columns = [pa.nulls(3, f.type) if f.nullable else good.column(f.name) for f in table.collected]
    empty = pa.RecordBatch.from_arrays(columns, schema=table.collected)
    assert decode(Envelope(table.name, 3, MessageId("e1", 1)), encode(empty)).equals(empty)
