"""Write answers: a table for people, json, csv or arrow for programs. Only what was asked for goes to stdout."""

import sys
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from analysis.printable import printable
from cli.printable import cell, json_text
from contract.errors import QuestionError, TailraceError, UsageError

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_ROWS = 10_000

# One long cell does not widen every line: it is shown whole, and pushes aside what follows it.
WIDEST = 64

FAILED, WRONG_USAGE = 1, 2


class Format(StrEnum):
    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    ARROW = "arrow"


class Writer(Protocol):
    def write(self, rows: "pa.Table") -> None: ...

    def close(self) -> None: ...


def say(text: str) -> None:
    """Talk to the user."""
    print(printable(text), file=sys.stderr)


def exit_status(error: TailraceError) -> int:
    return WRONG_USAGE if isinstance(error, UsageError | QuestionError) else FAILED


def write(rows: "pa.Table", form: Format) -> None:
    writer = writer_of(form)
    writer.write(rows)
    writer.close()


def writer_of(form: Format, endless: bool = False) -> Writer:
    """``endless``: rows keep coming, so json is one object a line and no array."""
    writers: dict[Format, Callable[[], Writer]] = {
        Format.TABLE: Columns,
        Format.JSON: JsonLines if endless else JsonArray,
        Format.CSV: Csv,
        Format.ARROW: ArrowStream,
    }
    return writers[form]()


class JsonArray:
    def __init__(self) -> None:
        self.lead = "[\n"

    def write(self, rows: "pa.Table") -> None:
        for row in _objects(rows):
            sys.stdout.write(self.lead + row)
            self.lead = ",\n"

    def close(self) -> None:
        sys.stdout.write("[]\n" if self.lead == "[\n" else "\n]\n")
        sys.stdout.flush()


class JsonLines:
    def write(self, rows: "pa.Table") -> None:
        for row in _objects(rows):
            sys.stdout.write(row + "\n")
        sys.stdout.flush()

    def close(self) -> None:
        sys.stdout.flush()


class Csv:
    """Times in RFC 3339, lists and maps as JSON; NULL is empty and empty text is quoted."""

    def __init__(self) -> None:
        self.header = True

    def write(self, rows: "pa.Table") -> None:
        from pyarrow import csv

        flat = _flat(rows)
        csv.write_csv(flat, sys.stdout.buffer, csv.WriteOptions(include_header=self.header))
        sys.stdout.flush()
        self.header = False

    def close(self) -> None:
        sys.stdout.flush()


class ArrowStream:
    def __init__(self) -> None:
        self.stream: pa.RecordBatchStreamWriter | None = None

    def write(self, rows: "pa.Table") -> None:
        import pyarrow as pa

        self.stream = self.stream or pa.ipc.new_stream(sys.stdout.buffer, rows.schema)
        self.stream.write_table(rows)
        sys.stdout.buffer.flush()

    def close(self) -> None:
        if self.stream:
            self.stream.close()
        sys.stdout.buffer.flush()


class Columns:
    """Aligned columns; every cell is plain text, whoever wrote it. (A table of rich took 0.1 ms a cell.)"""

    def __init__(self) -> None:
        self.header = True

    def write(self, rows: "pa.Table") -> None:
        columns = [
            _column(name, column, self.header) for name, column in zip(rows.schema.names, rows.columns, strict=True)
        ]
        for line in zip(*columns, strict=True):
            sys.stdout.write("  ".join(line).rstrip() + "\n")
        sys.stdout.flush()
        self.header = False

    def close(self) -> None:
        sys.stdout.flush()


def _column(name: str, values: "pa.ChunkedArray", header: bool) -> list[str]:
    from rich.cells import cell_len

    texts = [printable(name)] if header else []
    texts += [cell(value) for value in _dated(values).to_pylist(maps_as_pydicts="lossy")]
    widths = [cell_len(text) for text in texts]
    room = min(max((*widths, cell_len(printable(name)))), WIDEST)
    pads = [" " * (room - width) for width in widths]
    if _is_number(values.type):
        return [pad + text for pad, text in zip(pads, texts, strict=True)]
    return [text + pad for pad, text in zip(pads, texts, strict=True)]


def _is_number(kind: "pa.DataType") -> bool:
    import pyarrow as pa

    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _objects(rows: "pa.Table") -> Iterator[str]:
    rows = dated(rows)
    for start in range(0, rows.num_rows, BATCH_ROWS):
        yield from map(json_text, rows.slice(start, BATCH_ROWS).to_pylist(maps_as_pydicts="lossy"))


def dated(rows: "pa.Table") -> "pa.Table":
    import pyarrow as pa

    return pa.Table.from_arrays([_dated(column) for column in rows.columns], names=rows.schema.names)


def _dated(column: "pa.ChunkedArray") -> "pa.ChunkedArray":
    """Times as RFC 3339 text; one by one, pyarrow would import pandas (0.3 s) to make Python's times of them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_timestamp(column.type):
        return pc.strftime(column, format="%Y-%m-%dT%H:%M:%SZ")
    return column


def _flat(rows: "pa.Table") -> "pa.Table":
    import pyarrow as pa

    rows = dated(rows)
    for index, field in enumerate(rows.schema):
        if pa.types.is_nested(field.type):
            values = rows.column(index).to_pylist(maps_as_pydicts="lossy")
            texts = [None if value is None else json_text(value) for value in values]
            rows = rows.set_column(index, field.name, pa.array(texts, pa.string()))
    return rows
