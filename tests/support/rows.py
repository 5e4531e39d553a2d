"""Batches of any table as a collector writes them, without a collector: every column has something, or now and then NULL."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from contract.columns import Table
from contract.ranges import number_range

BEGIN = datetime(2026, 11, 23, tzinfo=UTC)


def batch(table: Table, rows: int, first: int = 0) -> pa.RecordBatch:
    """Rows number ``first`` and on; no two alike."""
    columns = [
        pa.array(
            [_value(f"{table.name}.{field.name}", field, number) for number in range(first, first + rows)], field.type
        )
        for field in table.collected
    ]
    return pa.RecordBatch.from_arrays(columns, schema=table.collected)


def _value(path: str, field: pa.Field, number: int) -> Any:
    if field.nullable and number % 3 == 0:
        return None
    return _some(path, field.type, number)


def _some(path: str, kind: pa.DataType, number: int) -> Any:
    if pa.types.is_nested(kind):
        return _nested(path, kind, number)
    flat = {
        pa.types.is_timestamp: BEGIN + timedelta(microseconds=number),
        pa.types.is_boolean: number % 2 == 0,
        pa.types.is_integer: number % min(30_000, number_range(path)[1] + 1),
        pa.types.is_floating: 1 / (number + 1),
        pa.types.is_string: f"text {number}",
    }
    return next(value for is_kind, value in flat.items() if is_kind(kind))


def _nested(path: str, kind: pa.DataType, number: int) -> Any:
    if pa.types.is_map(kind):
        return [(f"key {number}", _some(path, kind.item_type, number))]
    if pa.types.is_list(kind):
        return [_some(path, kind.value_type, number + place) for place in range(number % 3)]
    return {field.name: _some(f"{path}.{field.name}", field.type, number) for field in kind}
