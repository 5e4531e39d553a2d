"""Write answers: a table for people, json, csv or arrow for programs. Only what was asked for goes to stdout."""

import sys
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, Protocol

from cli.printable import cell, json_text, printable

if TYPE_CHECKING:
    import pyarrow as pa

# Wide enough that nothing is folded where there is no terminal to fold for.
PIPE_WIDTH = 100_000
BATCH_ROWS = 10_000


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
    """Aligned columns; every cell is plain text, whoever wrote it."""

    def __init__(self) -> None:
        self.header = True

    def write(self, rows: "pa.Table") -> None:
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        console = Console(file=sys.stdout, markup=False, emoji=False, highlight=False)
        if not console.is_terminal:
            console = Console(file=sys.stdout, markup=False, emoji=False, highlight=False, width=PIPE_WIDTH)
        grid = Table(box=None, pad_edge=False, show_header=self.header, header_style="bold")
        for field in rows.schema:
            grid.add_column(Text(printable(field.name)), justify=_justify(field), overflow="fold")
        for row in _cells(rows):
            grid.add_row(*(Text(text) for text in row))
        console.print(grid)
        self.header = False

    def close(self) -> None:
        sys.stdout.flush()


def _justify(field: "pa.Field") -> Literal["left", "right"]:
    import pyarrow as pa

    number = pa.types.is_integer(field.type) or pa.types.is_floating(field.type) or pa.types.is_decimal(field.type)
    return "right" if number else "left"


def _cells(rows: "pa.Table") -> list[Sequence[str]]:
    columns = [[cell(value) for value in column.to_pylist(maps_as_pydicts="lossy")] for column in dated(rows).columns]
    return list(zip(*columns, strict=True))


def _objects(rows: "pa.Table") -> Iterator[str]:
    rows = dated(rows)
    for start in range(0, rows.num_rows, BATCH_ROWS):
        yield from map(json_text, rows.slice(start, BATCH_ROWS).to_pylist(maps_as_pydicts="lossy"))


def dated(rows: "pa.Table") -> "pa.Table":
    """The times as RFC 3339 text; one by one, pyarrow would import pandas (0.3 s) to make Python's times of them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for index, field in enumerate(rows.schema):
        if pa.types.is_timestamp(field.type):
            text = pc.strftime(rows.column(index), format="%Y-%m-%dT%H:%M:%SZ")
            rows = rows.set_column(index, field.name, text)
    return rows


def _flat(rows: "pa.Table") -> "pa.Table":
    import pyarrow as pa

    rows = dated(rows)
    for index, field in enumerate(rows.schema):
        if pa.types.is_nested(field.type):
            values = rows.column(index).to_pylist(maps_as_pydicts="lossy")
            texts = [None if value is None else json_text(value) for value in values]
            rows = rows.set_column(index, field.name, pa.array(texts, pa.string()))
    return rows
