"""Many small files of a date merged into few large ones, with the same rows; readers and writers go on meanwhile."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

import pyarrow as pa

from contract.columns import Table
from contract.errors import OvertakenError
from contract.tables import TABLES
from store import delta
from store.files import LiveFile
from store.lake import Lake
from store.rewriting import FILE_ROWS, STAGED, Rewriting

# Merged files are at least so many times as large as the largest of those that they are made of, so that each row is written
# anew no more often than it takes doublings from a small file to a large one.
GROWTH = 2


@dataclass(frozen=True)
class Compacted:
    table: str
    merged: int = 0
    made: int = 0
    removed: int = 0


def compact(
    lake: Lake, since: datetime | None, until: datetime | None, now: Callable[[], datetime]
) -> Iterator[Compacted]:
    """Files with all their times in [since, until); table by table, what was done to each."""
    for table in TABLES.values():
        folder = lake.folder / table.name
        done = _merge_all(table, folder, (since, until), now)
        yield replace(done, removed=delta.vacuum(folder) + _unstage(folder, now()))


def _merge_all(
    table: Table, folder: Path, span: tuple[datetime | None, datetime | None], now: Callable[[], datetime]
) -> Compacted:
    merged = made = 0
    for group in _groups(_inside(Rewriting(table, folder).files, *span)):
        try:
            _merge(table, folder, group, now())
        except OvertakenError:
            continue  # another writer's compaction, or a relabelling, has these files; the next compaction sees what is left
        merged, made = merged + len(group), made + 1
    return Compacted(table.name, merged, made)


def _merge(table: Table, folder: Path, group: Sequence[LiveFile], now: datetime) -> None:
    rewriting = Rewriting(table, folder)
    if not {file.path for file in group} <= {file.path for file in rewriting.files}:
        raise OvertakenError(f"{folder}: rewritten by somebody else meanwhile; try again")
    rewriting.replace(group, [pa.concat_tables(rewriting.rows(group))], delta.COMPACTED, now)


def _inside(files: Sequence[LiveFile], since: datetime | None, until: datetime | None) -> list[LiveFile]:
    return [
        file
        for file in files
        if (since is None or file.from_time >= since) and (until is None or file.until_time <= until)
    ]


def _groups(files: Sequence[LiveFile]) -> Iterator[list[LiveFile]]:
    """Files of one date that follow one another in time, to be merged into one each."""
    for _, dated in groupby(sorted(files, key=lambda file: file.path.parent.name), lambda file: file.path.parent):
        group: list[LiveFile] = []
        for file in dated:
            if sum(one.rows for one in group) + file.rows > FILE_ROWS:
                yield from _worth(group)
                group = []
            group.append(file)
        yield from _worth(group)


def _worth(group: list[LiveFile]) -> Iterator[list[LiveFile]]:
    """The group, or what lies before and after its largest file where that is most of it."""
    if len(group) < 2:
        return
    largest = max(range(len(group)), key=lambda place: group[place].rows)
    if sum(file.rows for file in group) >= GROWTH * group[largest].rows:
        yield group
    else:
        yield from _worth(group[:largest])
        yield from _worth(group[largest + 1 :])


def _unstage(folder: Path, now: datetime) -> int:
    """Folders that a rewriting left which was ended before its time."""
    left = [path for path in folder.glob(f"{STAGED}*") if _is_left(path, now)]
    for path in left:
        shutil.rmtree(path, ignore_errors=True)
    return len(left)


def _is_left(stage: Path, now: datetime) -> bool:
    try:
        return datetime.fromtimestamp(stage.stat().st_mtime, UTC) < now - delta.GRACE
    except FileNotFoundError:
        return False  # another's, which has ended in between
