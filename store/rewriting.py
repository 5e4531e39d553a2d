"""Rows of a table in place of others: the files that hold them are replaced in one commit, whatever is appended meanwhile."""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import CommitProperties, Transaction
from deltalake.exceptions import CommitFailedError
from deltalake.transaction import AddAction, RemoveAction

from contract.columns import Table
from contract.errors import OvertakenError
from store import delta
from store.files import LiveFile

Added = dict[str, Any]  # an ``add`` of Delta's protocol

# A range of time needs few files, and few rows too many. To merge half a million rows out of 3,483 files took 1.7 GB.
FILE_ROWS = 500_000

# Files that are not in the table yet; no reader and no vacuum of Delta looks into a folder that begins so.
STAGED = "_staged-"

# delta-rs compares no removed files: two rewritings of one version are told apart by this application's transactions.
APPLICATION = "tailrace/rewriting"


class Rewriting:
    """One version of a table. Of two rewritings of one version the later one is refused; what was appended meanwhile stays."""

    def __init__(self, table: Table, folder: Path) -> None:
        self._table = table
        self._folder = folder
        with delta.translated(folder):
            self._opened = delta.opened(table, folder)
        self.files = delta.files_of(table, folder, self._opened)

    def rows(self, files: Iterable[LiveFile]) -> Iterator[pa.Table]:
        """In pieces of at most ``FILE_ROWS``; no piece has rows of two files."""
        for file in files:
            with delta.translated(self._folder):
                for batch in pq.ParquetFile(file.path).iter_batches(FILE_ROWS):
                    yield pa.Table.from_batches([batch]).cast(self._table.schema)

    def replace(self, files: Sequence[LiveFile], rows: Iterable[pa.Table], why: str, now: datetime) -> None:
        """``rows`` are read while the new files are written; ``why`` is a word of ``delta.REWRITTEN``."""
        changes = why != delta.COMPACTED
        with TemporaryDirectory(prefix=STAGED, dir=self._folder, ignore_cleanup_errors=True) as stage:
            added = [self._moved(Path(stage), add, changes) for add in self._staged(Path(stage), rows)]
        removed = [self._removed(file, changes, now) for file in files]
        with delta.translated(self._folder):
            try:
                self._opened.create_write_transaction(
                    [*added, *removed],
                    mode="append",
                    schema=self._opened.schema(),
                    partition_by=[delta.DATE.name],
                    commit_properties=self._commit(why),
                )
            except CommitFailedError as error:
                raise OvertakenError(f"{self._folder}: rewritten by somebody else meanwhile; try again") from error

    def _commit(self, why: str) -> CommitProperties:
        number = (self._opened.transaction_version(APPLICATION) or 0) + 1
        return CommitProperties(
            custom_metadata={delta.REWRITTEN: why}, app_transactions=[Transaction(APPLICATION, number)]
        )

    def _staged(self, stage: Path, rows: Iterable[pa.Table]) -> list[Added]:
        """The rows as files of a table of their own, which packs them and sums them up as the table itself does."""
        delta.create(self._table, stage)
        for piece in rows:
            delta.append(self._table, stage, piece, {}, {})
        commits = sorted((stage / "_delta_log").glob("*.json"))
        actions = (json.loads(line) for commit in commits for line in commit.read_text().splitlines())
        return [action["add"] for action in actions if "add" in action]

    def _moved(self, stage: Path, add: Added, changes: bool) -> AddAction:
        path = self._folder / str(add["path"])
        with delta.translated(self._folder):
            path.parent.mkdir(exist_ok=True)
            (stage / str(add["path"])).rename(path)
        return AddAction(
            path=add["path"],
            size=add["size"],
            partition_values=add["partitionValues"],
            modification_time=add["modificationTime"],
            data_change=changes,
            stats=add["stats"],
        )

    def _removed(self, file: LiveFile, changes: bool, now: datetime) -> RemoveAction:
        date = file.path.parent.name.removeprefix(f"{delta.DATE.name}=")
        return RemoveAction(
            path=str(file.path.relative_to(self._folder)),
            data_change=changes,
            deletion_timestamp=int(now.timestamp() * 1000),
            size=file.bytes,
            partition_values={delta.DATE.name: date},
        )
