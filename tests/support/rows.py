"""Batches of any table as a collector writes them, without a collector: every column has something, or now and then NULL."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from contract.columns import Table

BEGIN = datetime(2026, 11, 23, tzinfo=UTC)


def batch(table: Table, rows: int, first: int = 0) -> pa.RecordBatch:
    """Rows number ``first`` and on; no two alike."""
    columns = [
        pa.array([_value(field, number) for number in range(first, first + rows)], field.type)
        for field in table.collected
    ]
    return pa.RecordBatch.from_arrays(columns, schema=table.collected)


def _value(field: pa.Field, number: int) -> Any:
    if field.nullable and number % 3 == 0:
        return None
    return _some(field.type, number)


def _some(kind: pa.DataType, number: int) -> Any:
    if pa.types.is_nested(kind):
        return _nested(kind, number)
    flat = {
        pa.types.is_timestamp: BEGIN + timedelta(microseconds=number),
        pa.types.is_boolean: number % 2 == 0,
        pa.types.is_integer: number % 30_000,
        pa.types.is_floating: number / 7,
        pa.types.is_string: f"text {number}",
    }
    return next(value for is_kind, value in flat.items() if is_kind(kind))


def _nested(kind: pa.DataType, number: int) -> Any:
    if pa.types.is_map(kind):
        return [(f"key {number}", _some(kind.item_type, number))]
    if pa.types.is_list(kind):
        return [_some(kind.value_type, number + place) for place in range(number % 3)]
    return {field.name: _some(field.type, number) for field in kind}
