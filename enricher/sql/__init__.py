"""The steps of the enricher in SQL, one file a step; the head of each says what goes in and what comes out."""

from importlib.resources import files

import duckdb
import pyarrow as pa


def connect() -> duckdb.DuckDBPyConnection:
    """A database in memory that asks no network for an extension, and takes no Python variable for a table."""
    off = ("autoinstall_known_extensions", "autoload_known_extensions", "python_enable_replacements")
    return duckdb.connect(config=dict.fromkeys(off, "false"))


def run(connection: duckdb.DuckDBPyConnection, step: str, **parameters: int | str) -> None:
    connection.execute(text(step), parameters or None)


def changed(connection: duckdb.DuckDBPyConnection, step: str) -> int:
    """How many rows a step that updates a table has changed."""
    (count,) = connection.execute(text(step)).fetchall()[0]
    return int(count)


def fetch(connection: duckdb.DuckDBPyConnection, step: str, **parameters: int | str) -> pa.Table:
    return connection.sql(text(step), params=parameters or None).to_arrow_table()


def text(step: str) -> str:
    return files(__name__).joinpath(f"{step}.sql").read_text(encoding="utf-8")
