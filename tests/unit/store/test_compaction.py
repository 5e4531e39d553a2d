"""Many small files become few large ones: the same rows for readers, writers and followers, and each written anew seldom."""

import os
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from contract.tables import TABLES
from store import compaction
from store.compaction import Compacted, compact
from store.delta import GRACE, KEPT
from store.files import LiveFile
from store.lake import Lake
from store.rewriting import STAGED
from tests.support.lake import START, make_tables


def clock() -> datetime:
    return datetime.now(UTC)


def long_ago() -> datetime:
    return datetime.now(UTC) - GRACE - timedelta(minutes=1)


def rounds(count: int) -> list[pa.Table]:
    """The flows of a lake in so many parts by time, as rounds bring them."""
    flows = make_tables(connections=400)["flows"].sort_by("start_time")
    size = flows.num_rows // count
    return [flows.slice(number * size, size) for number in range(count)]


def filled(folder: Path, parts: list[pa.Table]) -> Lake:
    lake = Lake.create(folder)
    for part in parts:
        lake.append({"flows": part})
    return lake


def merge(lake: Lake, since: datetime | None = None, until: datetime | None = None) -> Compacted:
    return next(done for done in compact(lake, since, until, clock) if done.table == "flows")


def count(lake: Lake) -> int:
    with lake.connect() as views:
        return int(views.sql("select count(*) from flow_records").fetchall()[0][0])


def everything(lake: Lake) -> list[str]:
    with lake.connect() as views:
        return sorted(map(str, views.sql("select * from flow_records").to_arrow_table().to_pylist()))


def test_the_files_of_a_date_become_one_in_the_order_of_the_table(tmp_path: Path) -> None:
    lake = filled(tmp_path, rounds(30))
    before = everything(lake)
    done = merge(lake)
    assert (done.merged, done.made) == (31, 2)  # one round had rows of two dates
    assert everything(lake) == before
    for file in lake.files("flows"):
        found = pq.read_table(file.path)
        keys = [
            (one["counted"] is None, *(str(one[name]) for name in TABLES["flows"].sort_by[:1]))
            for one in found.select(["counted", "start_time"]).to_pylist()
        ]
        assert keys == sorted(keys)
        assert pq.ParquetFile(file.path).metadata.row_group(0).column(0).compression == "ZSTD"


def test_nothing_is_left_to_do_the_second_time(tmp_path: Path) -> None:
    lake = filled(tmp_path, rounds(10))
    merge(lake)
    versions = lake.versions()
    assert merge(lake) == Compacted("flows")
    assert lake.versions() == versions


def test_files_have_no_more_rows_than_they_may_and_follow_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "FILE_ROWS", 100)
    lake = filled(tmp_path, rounds(40))
    merge(lake)
    files = lake.files("flows")
    assert len(files) < 15
    assert max(file.rows for file in files) <= 100
    assert all(later.from_time >= earlier.until_time - timedelta(milliseconds=2) for earlier, later in pairwise(files))


def test_a_row_is_written_anew_no_more_often_than_its_file_doubles(tmp_path: Path) -> None:
    lake, written = Lake.create(tmp_path), 0
    parts = rounds(32)
    for number, part in enumerate(parts, start=1):
        lake.append({"flows": part})
        if number % 4 == 0:
            before = {file.path for file in lake.files("flows")}
            merge(lake)
            written += sum(file.rows for file in lake.files("flows") if file.path not in before)
    total = sum(part.num_rows for part in parts)
    assert count(lake) == total
    assert written < total * 4  # three doublings after the first; merging all each time writes 4.5 times as many
    assert len(lake.files("flows")) <= 8


def test_only_files_that_lie_in_the_range_are_merged(tmp_path: Path) -> None:
    lake = filled(tmp_path, rounds(20))
    until = START + timedelta(minutes=60)
    late = {file.path for file in lake.files("flows") if file.until_time > until}
    merge(lake, until=until)
    assert late < {file.path for file in lake.files("flows")}


def test_who_follows_gets_every_appended_row_once(tmp_path: Path) -> None:
    parts = rounds(12)
    lake = filled(tmp_path, parts[:6])
    seen = lake.versions()
    for part in parts[6:]:
        lake.append({"flows": part})
    merge(lake)
    new = sum(part.num_rows for part in parts[6:])
    assert count(lake.after(seen)) == new
    seen = lake.versions()
    merge(lake)
    assert count(lake.after(seen)) == 0


def test_who_follows_after_a_long_pause_is_not_stopped_by_what_is_gone(tmp_path: Path) -> None:
    lake = filled(tmp_path, rounds(6))
    seen = lake.versions()
    lake.append({"flows": rounds(6)[0]})
    list(compact(lake, None, None, long_ago))
    assert count(lake.after(seen)) == 0


def test_replaced_files_are_removed_after_the_grace_and_no_sooner(tmp_path: Path) -> None:
    lake = filled(tmp_path, rounds(6))
    files = [file.path for file in lake.files("flows")]
    assert merge(lake).removed == 0
    assert all(path.exists() for path in files)
    before = everything(lake)
    other = filled(tmp_path / "other", rounds(6))
    files = [file.path for file in other.files("flows")]
    next(done for done in compact(other, None, None, long_ago) if done.table == "flows")
    assert not any(path.exists() for path in files)
    assert everything(other) == before


def test_what_a_writer_left_that_was_cut_off_is_removed(tmp_path: Path) -> None:
    lake = filled(tmp_path, rounds(2))
    staged = lake.folder / "flows" / f"{STAGED}left"
    staged.mkdir()
    orphan = lake.files("flows")[0].path.parent / "orphan.parquet"
    orphan.write_bytes(b"half a file")
    young = orphan.with_name("young.parquet")
    young.write_bytes(b"not committed yet")
    for path in (staged, orphan):
        os.utime(path, (0, 0))
    assert merge(lake).removed == 2
    assert not staged.exists()
    assert not orphan.exists()
    assert young.exists()


def test_of_two_compactions_at_once_one_gives_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lake = filled(tmp_path, rounds(6))
    before = everything(lake)
    first = compaction._merge

    def overtaken(table: object, folder: Path, group: list[LiveFile], now: datetime) -> None:
        monkeypatch.setattr(compaction, "_merge", first)
        merge(lake)
        first(TABLES["flows"], folder, group, now)

    monkeypatch.setattr(compaction, "_merge", overtaken)
    merge(lake)
    assert everything(lake) == before


def test_the_log_is_kept_for_a_day_and_what_was_replaced_for_the_grace(tmp_path: Path) -> None:
    lake = Lake.create(tmp_path)
    for table in TABLES:
        kept = DeltaTable(str(lake.folder / table)).metadata().configuration
        assert kept["delta.deletedFileRetentionDuration"] == f"interval {GRACE // timedelta(hours=1)} hours"
        assert kept["delta.logRetentionDuration"] == KEPT["delta.logRetentionDuration"]
