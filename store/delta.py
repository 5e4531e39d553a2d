"""Delta tables by delta-rs, which only this file and ``rewriting.py`` know, and where its errors become ours."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import (
    ColumnProperties,
    CommitProperties,
    DeltaTable,
    Schema,
    Transaction,
    WriterProperties,
    write_deltalake,
)
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError

from contract.columns import Table
from contract.errors import LakeError, OvertakenError
from store.files import LiveFile
from store.packing import NUMBER_ENCODING, numbers

# While rows are sorted: whether they stand apart.
APART = "apart"
DATE = pa.field("date", pa.date32(), nullable=False)

# DuckDB gives each thread one row group at a time, so this is also the grain of parallel reading.
ROW_GROUP_ROWS = 122_880

DIFFERENCES = ColumnProperties(dictionary_enabled=False, encoding=NUMBER_ENCODING)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LATEST_US = 253_402_300_799_999_999  # the last of the year 9999, where Python's calendar ends

# Delta's statistics keep milliseconds, cut off: a greatest value is less than this many µs above what they say.
CUT_OFF_US = 1000

# Parquet takes this much less room than Arrow, at least; on the sample it is 15 times less for flows, 21 for DNS.
LEAST_PACKING = 4
FULL = "the disk is full"

# delta-rs refuses an append while the table's rows are rewritten, though it takes nothing from them.
APPEND_TRIES = 8
DELETED = "concurrent transaction deleted data"

# Who lists the files of a table and then reads them has so long, also where others stand for them by now.
GRACE = timedelta(hours=1)

# With a commit every 15 s the log grows by 20 MB a day, and each hundredth has all files in it that are, or were in its grace.
KEPT = {"delta.deletedFileRetentionDuration": "interval 1 hours", "delta.logRetentionDuration": "interval 1 days"}

# A commit that is no append says so here: why files were replaced.
REWRITTEN = "tailrace"
COMPACTED, RELABELLED = "compact", "relabel"

# Tables whose rows last beyond their time column: whether a file reaches into a range needs this column.
UNTIL = {"coverage": "until_time", "assignments": "until_time"}


def create(table: Table, folder: Path) -> None:
    """Make the empty table unless it is there."""
    statistics = ",".join(dict.fromkeys((table.time, *table.sort_by, *_until(table))))
    with translated(folder):
        DeltaTable.create(
            str(folder),
            schema=Schema.from_arrow(table.schema.append(DATE)),
            mode="ignore",
            partition_by=[DATE.name],
            configuration={"delta.dataSkippingStatsColumns": statistics, **KEPT},
        )


def refuse_other_columns(table: Table, folder: Path) -> None:
    """What would be refused when rows come is refused before anybody reads a capture."""
    with translated(folder):
        columns = [field.name for field in opened(table, folder).schema().fields]
    unknown = [name for name in columns if name not in (*table.schema.names, DATE.name)]
    if unknown:
        raise LakeError(f"{folder}: written by a later release, with {', '.join(unknown)}; add to it with that one")


def append(
    table: Table, folder: Path, rows: pa.Table, transactions: Mapping[str, int], after: Mapping[str, int | None]
) -> None:
    """Refused where the transactions of the newest commit are not those of ``after``: somebody else has gone on with them."""
    ordered = _ordered(table, rows)
    dated = ordered.append_column(DATE, pc.cast(ordered.column(table.time), DATE.type))
    _refuse_full(folder, dated)
    commit = CommitProperties(app_transactions=[Transaction(name, version) for name, version in transactions.items()])
    with translated(folder):
        for left in reversed(range(APPEND_TRIES)):
            newest = opened(table, folder)
            _refuse_others(folder, newest, after)
            try:
                return write_deltalake(
                    newest, dated, mode="append", writer_properties=_writer(table), commit_properties=commit
                )
            except CommitFailedError as error:
                if not left or not (after or DELETED in str(error)):
                    raise


def _refuse_others(folder: Path, newest: DeltaTable, after: Mapping[str, int | None]) -> None:
    for application, version in after.items():
        found = newest.transaction_version(application)
        if found != version:
            raise OvertakenError(
                f"{folder}: {application} is at {found}, not at {version}: another writer has gone on with it"
            )


def _ordered(table: Table, rows: pa.Table) -> pa.Table:
    """In one piece: of several, delta-rs keeps no order."""
    keys = [(name, "ascending") for name in table.sort_by]
    if table.apart is None:
        return rows.sort_by(keys)
    lacking = rows.append_column(APART, pc.is_null(rows[table.apart]))
    return lacking.sort_by([(APART, "ascending"), *keys]).drop_columns([APART])


def _writer(table: Table) -> WriterProperties:
    return WriterProperties(
        compression="ZSTD",
        compression_level=3,
        max_row_group_size=ROW_GROUP_ROWS,
        column_properties=dict.fromkeys(numbers(table.schema), DIFFERENCES),
    )


def _refuse_full(folder: Path, rows: pa.Table) -> None:
    """A write that runs into the end of the disk leaves a broken file and a stack trace of delta-rs on stderr."""
    with translated(folder):
        free = shutil.disk_usage(folder).free
    wanted = rows.nbytes // LEAST_PACKING
    if free < wanted:
        raise LakeError(f"{folder}: {FULL}: {wanted:,} bytes are wanted, {free:,} are free; make room and try again")


def transaction_version(folder: Path, application: str) -> int | None:
    with translated(folder):
        version: int | None = DeltaTable(str(folder)).transaction_version(application)
    return version


def live_files(table: Table, folder: Path) -> list[LiveFile]:
    """The files of the newest commit, in the order of their times."""
    with translated(folder):
        newest = opened(table, folder)
    return files_of(table, folder, newest)


def files_of(table: Table, folder: Path, at: DeltaTable) -> list[LiveFile]:
    with translated(folder):
        actions = _actions(at)
    files = [_live_file(table, folder, action) for action in actions.to_pylist()]
    return sorted(files, key=lambda file: (file.from_time, file.path))


def version(folder: Path) -> int:
    with translated(folder):
        newest: int = DeltaTable(str(folder)).version()
    return newest


def appended_files(table: Table, folder: Path, after: int) -> list[LiveFile]:
    """The files that commits later than version ``after`` brought new rows in, also where others stand for them by now.

    One that was removed so long ago that it is gone is left out.
    """
    with translated(folder):
        newest = DeltaTable(str(folder))
        count = newest.version() - after
        commits = newest.history(count) if count > 0 else []
        appends = [one["version"] for one in commits if one["operation"] == "WRITE" and REWRITTEN not in one]
        brought = [file for number in appends for file in _brought(table, folder, number)]
    return sorted((file for file in brought if file.path.exists()), key=lambda file: (file.from_time, file.path))


def vacuum(folder: Path) -> int:
    """Remove the files that were replaced, or left by a writer that was cut off, longer ago than the grace; how many."""
    hours = int(GRACE.total_seconds()) // 3600
    with translated(folder):
        found = DeltaTable(str(folder))
        gone = found.vacuum(hours, dry_run=True, enforce_retention_duration=False, full=True)
        if gone:  # a vacuum writes two commits
            found.vacuum(hours, dry_run=False, enforce_retention_duration=False, full=True)
    return len(gone)


def opened(table: Table, folder: Path) -> DeltaTable:
    found = DeltaTable(str(folder))
    columns = {field.name for field in found.schema().fields}
    lacking = [name for name in table.schema.names if name not in columns]
    if lacking:
        raise LakeError(
            f"{folder}: written by an earlier release, without {', '.join(lacking)};"
            " ingest the captures into a new lake, or read this one with the release that wrote it"
        )
    return found


def _brought(table: Table, folder: Path, number: int) -> list[LiveFile]:
    before = {file.path for file in _files_at(table, folder, number - 1)}
    return [file for file in _files_at(table, folder, number) if file.path not in before]


def _files_at(table: Table, folder: Path, number: int) -> list[LiveFile]:
    return files_of(table, folder, DeltaTable(str(folder), version=number))


def _actions(at: DeltaTable) -> pa.Table:
    """One row a file, times as microseconds: as times, pyarrow would import pandas (0.3 s) to make Python's of them."""
    rows = pa.RecordBatchReader.from_stream(at.get_add_actions(flatten=True)).read_all()
    numbers = [pa.field(f.name, pa.int64()) if pa.types.is_timestamp(f.type) else f for f in rows.schema]
    return rows.cast(pa.schema(numbers))


def _live_file(table: Table, folder: Path, action: Mapping[str, Any]) -> LiveFile:
    return LiveFile(
        path=folder / str(action["path"]),
        rows=action["num_records"],
        bytes=action["size_bytes"],
        from_time=instant(action[f"min.{table.time}"]),
        until_time=_behind(action[f"max.{table.time}"]),
        holds_until=_holds_until(table, action),
    )


def _holds_until(table: Table, action: Mapping[str, Any]) -> datetime | None:
    column = next(iter(_until(table)), table.time)
    if action.get(f"null_count.{column}") or action.get(f"max.{column}") is None:
        return None
    return _behind(action[f"max.{column}"])


def instant(microseconds: int) -> datetime:
    return EPOCH + timedelta(microseconds=min(microseconds, LATEST_US))


def _behind(microseconds: int) -> datetime:
    """A time that nothing in a file is later than; the calendar's end is its own end."""
    return instant(min(microseconds + CUT_OFF_US, LATEST_US))


def _until(table: Table) -> tuple[str, ...]:
    return (UNTIL[table.name],) if table.name in UNTIL else ()


@contextmanager
def translated(folder: Path) -> Iterator[None]:
    try:
        yield
    except TableNotFoundError:
        raise LakeError(f"{folder}: the table is gone from the lake; restore it from a backup") from None
    except (DeltaError, OSError) as error:
        if "No space left on device" in str(error):
            raise LakeError(f"{folder}: {FULL}; make room and try again") from error
        raise LakeError(f"{folder}: {' '.join(str(error).split())}") from error
