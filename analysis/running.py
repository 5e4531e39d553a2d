"""Run SQL over a connection of the lake: a row limit, a timeout, and one line for whatever goes wrong."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Timer

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from contract.errors import QuestionError

BATCH_ROWS = 10_000

# What DuckDB gives for HUGEINT, the type of a sum of integers.
HUGE = pa.decimal128(38, 0)


@dataclass(frozen=True)
class Answer:
    """``truncated``: there were more rows than the limit."""

    table: pa.Table
    truncated: bool


def run_question(
    connection: duckdb.DuckDBPyConnection,
    sql: str,
    values: Mapping[str, object],
    limit: int | None,
    timeout_s: float,
) -> Answer:
    # A limit around an ordered query becomes a Top N, which does not sort what is not shown.
    limited = sql if limit is None else f"select * from (\n{sql}\n) limit {limit + 1:d}"
    return _run(connection, limited, values, limit, timeout_s)


def run_statement(connection: duckdb.DuckDBPyConnection, text: str, limit: int | None, timeout_s: float) -> Answer:
    with closed_after(connection):
        _refuse_other_than_one_select(connection, text)
        return _run(connection, text, {}, limit, timeout_s)


def _run(
    connection: duckdb.DuckDBPyConnection,
    sql: str,
    values: Mapping[str, object],
    limit: int | None,
    timeout_s: float,
) -> Answer:
    timer = Timer(timeout_s, connection.interrupt)
    timer.daemon = True
    with closed_after(connection):
        timer.start()
        try:
            table = _first_rows(connection.sql(sql, params=dict(values)).to_arrow_reader(BATCH_ROWS), limit)
        except duckdb.InterruptException:
            raise QuestionError(f"no answer within {timeout_s:g} s; ask for a shorter time or fewer rows") from None
        except duckdb.Error as error:
            raise QuestionError(one_line(error)) from error
        finally:
            timer.cancel()
    truncated = limit is not None and table.num_rows > limit
    return Answer(_plain(table.slice(0, limit) if truncated else table), truncated)


def _first_rows(reader: pa.RecordBatchReader, limit: int | None) -> pa.Table:
    batches, rows = [], 0
    for batch in reader:
        batches.append(batch)
        rows += batch.num_rows
        if limit is not None and rows > limit:
            break
    return pa.Table.from_batches(batches, schema=reader.schema)


def _refuse_other_than_one_select(connection: duckdb.DuckDBPyConnection, text: str) -> None:
    try:
        statements = connection.extract_statements(text)
    except duckdb.Error as error:
        raise QuestionError(one_line(error)) from error
    if len(statements) != 1:
        raise QuestionError(f"one statement at a time, not {len(statements)}")
    if statements[0].type != duckdb.StatementType.SELECT:
        raise QuestionError(f"only reading is possible here: a SELECT, not {statements[0].type.name}")


def _plain(table: pa.Table) -> pa.Table:
    """Sums as 64-bit integers, which every reader knows, where they fit."""
    for index, field in enumerate(table.schema):
        if field.type == HUGE:
            table = _as_int64(table, index, field.name)
    return table


def _as_int64(table: pa.Table, index: int, name: str) -> pa.Table:
    try:
        return table.set_column(index, name, pc.cast(table.column(index), pa.int64()))
    except pa.ArrowInvalid:
        return table


def one_line(error: duckdb.Error) -> str:
    """Its first paragraph, without the picture of the place in the SQL."""
    return " ".join(str(error).split("\n\n")[0].split())


@contextmanager
def closed_after(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    try:
        yield
    finally:
        connection.close()
