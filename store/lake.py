"""A lake: a folder with one Delta table for each table of the contract, and a marker that says what it is."""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc

from contract.columns import COUNT
from contract.errors import LakeError
from contract.tables import TABLES
from store import delta
from store.files import LiveFile, during
from store.portion import Portion
from store.rewriting import Rewriting

if TYPE_CHECKING:
    import duckdb

_ESCAPE = re.compile("%[0-9A-Fa-f]{2}")

# What two captures saw of one transaction, or of one call of a resolver, begins within this time.
NEAR_US = 15_000_000

MARKER = "tailrace.json"
VERSION = 1

STATS = pa.schema(
    [
        ("table", pa.string()),
        ("files", pa.int64()),
        ("rows", pa.int64()),
        ("bytes", pa.int64()),
        ("from_time", pa.timestamp("us", tz="UTC")),
        ("until_time", pa.timestamp("us", tz="UTC")),
        ("bytes_per_row", pa.float64()),
    ]
)


class Lake:
    """Get one by ``Lake.create`` or ``Lake.open``."""

    def __init__(self, folder: Path, after: Mapping[str, int] | None = None) -> None:
        self.folder = folder
        self._after = after

    @classmethod
    def create(cls, url: str | Path) -> "Lake":
        """Make the lake where there is none; an existing one is opened, any other folder with files is refused."""
        folder = local_folder(url)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if not (folder / MARKER).exists():
                _refuse_foreign(folder)
                _mark(folder)
        except OSError as error:
            raise LakeError(f"{folder}: cannot make a lake here: {_reason(error)}") from error
        lake = cls.open(folder)
        for table in TABLES.values():
            delta.create(table, folder / table.name)
            delta.refuse_other_columns(table, folder / table.name)
        return lake

    @classmethod
    def open(cls, url: str | Path) -> "Lake":
        folder = local_folder(url)
        try:
            version = json.loads((folder / MARKER).read_text())["lake"]
        except (FileNotFoundError, NotADirectoryError):
            raise LakeError(_absent(folder)) from None
        except OSError as error:
            raise LakeError(f"{folder}: cannot read the lake: {_reason(error)}") from error
        except (ValueError, LookupError, TypeError):
            raise LakeError(f"{folder / MARKER}: not the marker of a lake; restore it from a backup") from None
        if version != VERSION:
            raise LakeError(f"{folder}: a lake of version {version}, this program reads {VERSION}; use its own release")
        return cls(folder)

    def append(
        self,
        tables: Mapping[str, pa.Table],
        transactions: Mapping[str, int] | None = None,
        after: Mapping[str, int | None] | None = None,
    ) -> None:
        """Add rows, one commit a table; ``transactions`` (application: version) land in the same commits.

        ``after``: raise ``OvertakenError`` where a table's versions of these applications are others.
        """
        for name, rows in tables.items():
            if name not in TABLES:
                raise LakeError(f"{self.folder}: no table {name!r} in the contract; there are {', '.join(TABLES)}")
            TABLES[name].validate(rows)
        for name, rows in tables.items():
            if rows.num_rows or transactions:
                delta.append(TABLES[name], self.folder / name, rows, transactions or {}, after or {})

    def transaction_version(self, table: str, application: str) -> int | None:
        """The version the last commit of ``application`` to ``table`` carried, for a writer that starts again."""
        return delta.transaction_version(self.folder / table, application)

    def connect(
        self, since: datetime | None = None, until: datetime | None = None, cluster: str | None = None
    ) -> "duckdb.DuckDBPyConnection":
        """Open the views over the rows of [since, until) and of one cluster, or of all, as the lake is now.

        Nothing else can be read or written. An empty name stands for the rows whose cluster is not told.
        """
        from store import views

        live = {table.name: during(self.files(table.name), since, until) for table in TABLES.values()}
        return views.connect(live, since, until, cluster)

    def sharing(self, table: str, key: str, records: pa.Table) -> pa.Table:
        """``key`` and ``counted`` of the rows of ``table``, of about the time of ``records``, that have a ``key`` of theirs."""
        from store import views

        columns = [key, "counted"]
        times = pc.min_max(records[TABLES[table].time].cast(COUNT)).as_py()
        if times["min"] is None:
            return records.select(columns)
        with self.connect(delta.instant(times["min"] - NEAR_US), delta.instant(times["max"] + NEAR_US)) as connection:
            connection.register("wanted", records.select([key]))
            query = f"select {', '.join(columns)} from {views.RECORDS[table]} semi join wanted using ({key})"
            return connection.sql(query).to_arrow_table()

    def portion(self, table: str, since: datetime, until: datetime, cluster: str) -> Portion:
        """The rows of [since, until) and of one cluster as they are now, to be replaced; the empty name as in ``connect``."""
        return Portion(TABLES[table], Rewriting(TABLES[table], self.folder / table), since, until, cluster or None)

    def files(self, table: str) -> list[LiveFile]:
        if self._after is not None:
            return delta.appended_files(TABLES[table], self.folder / table, self._after[table])
        return delta.live_files(TABLES[table], self.folder / table)

    def versions(self) -> dict[str, int]:
        """The newest commit of each table, to ask for ``after`` later."""
        return {table: delta.version(self.folder / table) for table in TABLES}

    def after(self, versions: Mapping[str, int]) -> "Lake":
        """The same lake with no rows but those appended since ``versions``."""
        return Lake(self.folder, versions)

    def stats(self) -> pa.Table:
        """One row a table: files, rows, bytes, the time they span."""
        return pa.Table.from_pylist([_stats(table, self.files(table)) for table in TABLES], schema=STATS)

    def span(self) -> tuple[datetime, datetime] | None:
        """First and last time of the flows and DNS transactions in the lake; None if it has none."""
        files = [file for table in ("flows", "dns") for file in self.files(table)]
        if not files:
            return None
        return min(file.from_time for file in files), max(file.until_time for file in files)


def local_folder(url: str | Path) -> Path:
    text = str(url).removeprefix("file://")
    if "://" in text:
        raise LakeError(f"{url}: not a folder; this release keeps a lake in a folder of this machine")
    if _ESCAPE.search(text):
        raise LakeError(f"{url}: delta-rs takes a % and two digits in a path for one character; choose another name")
    return Path(text).absolute()


def _mark(folder: Path) -> None:
    """At once: two enrichers may begin with one new lake."""
    whole = folder / f".{MARKER}.{uuid4().hex}"
    whole.write_text(json.dumps({"lake": VERSION}) + "\n")
    whole.replace(folder / MARKER)


def _refuse_foreign(folder: Path) -> None:
    """Of what a new volume has, and of another who makes this lake now, nobody is afraid."""
    if any(not file.name.startswith(".") and file.name not in (MARKER, "lost+found") for file in folder.iterdir()):
        raise LakeError(f"{folder}: has files but no {MARKER}, so it is no lake; choose another folder or an empty one")


def _absent(folder: Path) -> str:
    if not folder.exists():
        return f"{folder}: no such folder; make a lake with `tailrace ingest FILE --lake {folder}`"
    if not folder.is_dir():
        return f"{folder}: a file, not the folder of a lake"
    return f"{folder}: not a lake (no {MARKER} in it); name the folder that tailrace ingest made"


def _reason(error: OSError) -> str:
    return error.strerror or str(error)


def _stats(table: str, files: list[LiveFile]) -> dict[str, object]:
    rows = sum(file.rows for file in files)
    size = sum(file.bytes for file in files)
    return {
        "table": table,
        "files": len(files),
        "rows": rows,
        "bytes": size,
        "from_time": min((file.from_time for file in files), default=None),
        "until_time": max((file.until_time for file in files), default=None),
        "bytes_per_row": size / rows if rows else None,
    }
