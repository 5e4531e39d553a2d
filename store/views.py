"""DuckDB over a lake: the contract's tables, the views of ``views/*.sql`` on them, and every other door shut."""

import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from importlib.resources import files as resources
from pathlib import Path

import duckdb
import pyarrow as pa

from contract.columns import LABELS, Table
from contract.errors import LakeError
from contract.flows import FLOWS
from contract.tables import TABLES
from store.files import LiveFile

# What stands for the cluster of records that tell none, as NULL cannot be asked for.
UNTOLD = ""

# In the order of creation: a view may use those before it.
VIEWS = (
    "captured",
    "repeated",
    "connections",
    "counted",
    "outward",
    "edges",
    "dns",
    "resolutions",
    "assignments",
    "public_resolvers",
)

# What the views and the questions ask of an address, in the file of the same name.
OUTSIDE = "is_outside(ip, kind, other_kind)"

# Tables read through two views: every row, and each transaction, resolution or assignment once.
RECORDS = {"dns": "dns_records", "resolutions": "resolution_records", "assignments": "assignment_records"}

INCLUDE = re.compile("^-- include ([a-z]+)$", re.MULTILINE)

CONFIG = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",
}

TYPES = {
    pa.string(): "varchar",
    pa.int16(): "smallint",
    pa.int32(): "integer",
    pa.int64(): "bigint",
    pa.float64(): "double",
    pa.bool_(): "boolean",
    pa.timestamp("us", tz="UTC"): "timestamp with time zone",
    LABELS: "map(varchar, varchar)",
}


def connect(
    live: Mapping[str, Sequence[LiveFile]], since: datetime | None, until: datetime | None, cluster: str | None = None
) -> duckdb.DuckDBPyConnection:
    """An in-memory database that can read the ``live`` files and nothing else."""
    connection = duckdb.connect(":memory:", config=dict(CONFIG))
    try:
        _prepare(connection)
        for table in TABLES.values():
            conditions = " and ".join(("true", *_window(table, since, until), *_of_cluster(cluster)))
            connection.execute(_records_view(table, live[table.name], conditions))
        connection.execute(f"create view flow_records as select * from {FLOWS.name}")
        connection.execute(f"create macro {OUTSIDE} as {view_text('outside')}")
        for name in VIEWS:
            connection.execute(f"create view {name} as {view_text(name)}")
        _lock(connection, [file.path for files in live.values() for file in files])
    except duckdb.Error as error:
        connection.close()
        raise LakeError(f"cannot read the lake: {' '.join(str(error).split())}") from error
    return connection


@cache
def view_text(name: str) -> str:
    """With the text of the views that it includes, which read what its own subqueries call by the names of tables."""
    text = resources("store").joinpath("views", f"{name}.sql").read_text()
    return INCLUDE.sub(lambda line: view_text(line[1]), text)


def _prepare(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("set TimeZone = 'UTC'")
    # In-memory databases spill into the current folder otherwise, which may be read-only.
    connection.execute(f"set temp_directory = {_quoted(Path(tempfile.gettempdir()) / 'tailrace-spill')}")


def _lock(connection: duckdb.DuckDBPyConnection, paths: Sequence[Path]) -> None:
    connection.execute(f"set allowed_paths = [{', '.join(_quoted(path) for path in paths)}]")
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")


def _records_view(table: Table, files: Sequence[LiveFile], conditions: str) -> str:
    name = RECORDS.get(table.name, table.name)
    return f"create view {name} as select {_names(table)} from {_source(table, files)} where {conditions}"


def _names(table: Table) -> str:
    return ", ".join(column.name for column in table.columns)


def _source(table: Table, files: Sequence[LiveFile]) -> str:
    if files:
        paths = ", ".join(_quoted(file.path) for file in files)
        return f"read_parquet([{paths}], hive_partitioning = true)"
    columns = ", ".join(f"cast(null as {duckdb_type(column.type)}) as {column.name}" for column in table.columns)
    return f"(select {columns} limit 0)"


def _window(table: Table, since: datetime | None, until: datetime | None) -> Iterator[str]:
    lasts = "until_time" if "until_time" in table.schema.names else table.time
    # A file keeps at least its last packet, so coverage [from, until] is closed and assignments [from, until) are not.
    after = ">" if table.name == "assignments" else ">="
    if until is not None:
        yield f"{table.time} < {_instant(until)}"
    if since is not None:
        yield f"({lasts} is null or {lasts} {after} {_instant(since)})"


def _of_cluster(cluster: str | None) -> Iterator[str]:
    if cluster is not None:
        yield "cluster is null" if cluster == UNTOLD else f"cluster = {_quoted(cluster)}"


def _instant(time: datetime) -> str:
    return f"timestamptz '{time.isoformat()}'"


def duckdb_type(kind: pa.DataType) -> str:
    if kind in TYPES:
        return TYPES[kind]
    if pa.types.is_list(kind):
        return duckdb_type(kind.value_type) + "[]"
    if pa.types.is_map(kind):
        return f"map({duckdb_type(kind.key_type)}, {duckdb_type(kind.item_type)})"
    fields = ", ".join(f'"{field.name}" {duckdb_type(field.type)}' for field in kind)
    return f"struct({fields})"


def _quoted(text: object) -> str:
    return "'" + str(text).replace("'", "''") + "'"
