"""The lake on disk: what goes in comes out, and what is no lake is said in one line."""

import resource
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, Field
from deltalake.schema import PrimitiveType

from contract.errors import ContractError, LakeError, OvertakenError
from contract.tables import TABLES
from store import delta
from store.lake import MARKER, Lake
from tests.support.lake import START, make_lake, make_tables


@pytest.mark.parametrize("table", TABLES)
def test_rows_come_out_as_they_went_in(lake: Lake, table: str) -> None:
    view = "dns_records" if table == "dns" else table
    found = lake.connect().sql(f"select * from {view}").to_arrow_table()
    assert found.schema.names == TABLES[table].schema.names
    assert sorted(map(str, found.to_pylist())) == sorted(map(str, make_tables()[table].to_pylist()))


@pytest.mark.parametrize("table", TABLES)
def test_an_empty_table_has_the_types_of_the_contract(lake: Lake, empty_lake: Lake, table: str) -> None:
    empty, full = (opened.connect().sql(f"describe {table}").fetchall() for opened in (empty_lake, lake))
    assert empty == full


def test_files_are_partitioned_by_date_and_sorted(lake: Lake) -> None:
    for file in lake.files("flows"):
        assert file.path.parent.name == f"date={file.from_time:%Y-%m-%d}"
        rows = lake.connect().sql(f"select epoch_us(start_time) from read_parquet('{file.path}')").fetchall()
        assert rows == sorted(rows)


def test_any_folder_name_will_do(tmp_path: Path) -> None:
    lake = make_lake(tmp_path / "o'dd % näme#?", connections=3)
    assert lake.connect().sql("select count(*) from connections").fetchall() == [(3,)]


@pytest.mark.parametrize("since_s, until_s", [(0, 3600), (1800, 1801), (-10, 0), (5400, 5400), (0.123457, 9000)])
def test_a_window_keeps_the_records_that_begin_in_it(lake: Lake, since_s: float, until_s: float) -> None:
    since, until = START + timedelta(seconds=since_s), START + timedelta(seconds=until_s)
    starts = make_tables()["flows"].column("start_time").to_pylist()
    wanted = sum(since <= start < until for start in starts)
    assert lake.connect(since, until).sql("select count(*) from flows").fetchall() == [(wanted,)]


def test_a_window_to_the_microsecond_of_the_last_record(lake: Lake) -> None:
    last = max(make_tables()["flows"].column("start_time").to_pylist())
    assert lake.connect(since=last).sql("select count(*) from flows").fetchall() == [(1,)]


def test_a_window_keeps_the_assignments_that_still_hold(lake: Lake) -> None:
    later = START + timedelta(days=30)
    assert lake.connect(since=later).sql("select count(*) > 0 from assignments").fetchall() == [(True,)]


def test_rows_that_break_the_contract_are_not_written(tmp_path: Path) -> None:
    lake = Lake.create(tmp_path)
    tables = make_tables(connections=3)
    with pytest.raises(ContractError, match="flows: missing columns"):
        lake.append({"dns": tables["dns"], "flows": tables["flows"].drop_columns("src_ip")})
    assert lake.span() is None


def test_transactions_land_with_the_rows(tmp_path: Path) -> None:
    lake = Lake.create(tmp_path)
    assert lake.transaction_version("flows", "topic/0") is None
    lake.append({"flows": make_tables(connections=3)["flows"]}, {"topic/0": 41})
    assert lake.transaction_version("flows", "topic/0") == 41
    assert lake.transaction_version("dns", "topic/0") is None


def test_after_gives_what_was_appended_and_compaction_is_no_news(tmp_path: Path) -> None:
    lake = make_lake(tmp_path, connections=5)
    before = lake.versions()
    assert lake.after(before).connect().sql("select count(*) from flows").fetchall() == [(0,)]
    more = make_tables(seed=2, connections=4)["flows"]
    lake.append({"flows": more})
    assert lake.after(before).connect().sql("select count(*) from flows").fetchall() == [(more.num_rows,)]
    appended = lake.versions()
    DeltaTable(str(tmp_path / "flows")).optimize.compact()
    assert lake.versions() != appended
    assert lake.after(appended).connect().sql("select count(*) from flows").fetchall() == [(0,)]


def test_stats_count_what_is_there(lake: Lake) -> None:
    stats = {row["table"]: row for row in lake.stats().to_pylist()}
    tables = make_tables()
    assert {name: row["rows"] for name, row in stats.items()} == {name: rows.num_rows for name, rows in tables.items()}
    size = sum(file.stat().st_size for file in (lake.folder / "flows").rglob("*.parquet"))
    assert stats["flows"]["bytes"] == size
    assert stats["flows"]["bytes_per_row"] == pytest.approx(size / stats["flows"]["rows"])


def test_stats_of_an_empty_lake(empty_lake: Lake) -> None:
    assert empty_lake.stats().column("rows").to_pylist() == [0] * len(TABLES)
    assert empty_lake.span() is None


def test_create_twice_keeps_the_rows(tmp_path: Path) -> None:
    make_lake(tmp_path, connections=3)
    assert Lake.create(tmp_path).span() is not None


def test_create_refuses_a_folder_of_someone_else(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(LakeError, match=f"has files but no {MARKER}"):
        Lake.create(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.txt"]


def test_open_says_what_is_wrong(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    for place, words in [
        (tmp_path / "absent", "no such folder"),
        (file, "a file, not the folder"),
        (tmp_path, "not a lake"),
        ("s3://bucket/lake", "not a folder"),
        (tmp_path / "a%20b", "choose another name"),
        (tmp_path / "x" / ("n" * 300), "cannot read the lake|no such folder"),
    ]:
        with pytest.raises(LakeError, match=words):
            Lake.open(place)


@pytest.mark.parametrize(
    "text, words", [("{", "not the marker"), ("[]", "not the marker"), ('{"lake": 9}', "version 9")]
)
def test_open_refuses_a_marker_it_does_not_know(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / MARKER).write_text(text)
    with pytest.raises(LakeError, match=words):
        Lake.open(tmp_path)


def test_a_lost_table_is_one_line(tmp_path: Path) -> None:
    lake = Lake.create(tmp_path)
    (tmp_path / "dns").rename(tmp_path / "elsewhere")
    with pytest.raises(LakeError, match="the table is gone") as caught:
        lake.connect()
    assert "\n" not in str(caught.value)


def test_a_lost_file_is_one_line(tmp_path: Path) -> None:
    lake = make_lake(tmp_path, connections=3)
    for file in lake.files("flows"):
        file.path.unlink()
    with pytest.raises(LakeError, match="cannot read the lake") as caught:
        lake.connect()
    assert "\n" not in str(caught.value)


WRITE_TOO_MUCH = """
import resource, signal, sys
from contract.errors import LakeError
from store.lake import Lake
from tests.support.lake import make_tables
lake, tables = Lake.create(sys.argv[1]), make_tables(connections=2000)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
try:
    lake.append(tables)
except LakeError as error:
    print(error)
"""


def test_a_write_that_fails_is_one_line_and_leaves_no_rows(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WRITE_TOO_MUCH, str(tmp_path)], capture_output=True, text=True, check=True, timeout=60
    )
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
    assert "too large" in done.stdout
    assert done.stdout.count("\n") == 1
    assert Lake.open(tmp_path).span() is None


def test_span_reaches_from_the_first_to_the_last_record(lake: Lake) -> None:
    starts = [t for name in ("flows", "dns") for t in make_tables()[name].column("start_time").to_pylist()]
    first, last = lake.span() or (datetime.max.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC))
    assert first <= min(starts) < first + timedelta(milliseconds=1)
    assert max(starts) < last <= max(starts) + timedelta(milliseconds=1)


def _older(folder: Path, dropped: str) -> Lake:
    """A lake whose flows were written when the contract had not yet the column."""
    lake = make_lake(folder, connections=3)
    shutil.rmtree(folder / "flows")
    kept = tuple(column for column in TABLES["flows"].columns if column.name != dropped)
    older = replace(TABLES["flows"], columns=kept)
    delta.create(older, folder / "flows")
    delta.append(older, folder / "flows", make_tables(connections=3)["flows"].drop_columns(dropped), {}, {})
    return lake


@pytest.mark.parametrize("dropped", ["opened_by", "application"])
def test_a_lake_of_an_earlier_release_is_one_line_before_anything_is_added(tmp_path: Path, dropped: str) -> None:
    lake = _older(tmp_path, dropped)
    said = f"/flows: written by an earlier release, without {dropped}; ingest the captures into a new lake, or read"
    for use in (lake.connect, lake.stats, lambda: Lake.create(tmp_path), lambda: lake.append(make_tables())):
        with pytest.raises(LakeError, match=said):
            use()
    assert lake.transaction_version("dns", "any") is None


def test_a_lake_of_a_later_release_is_read_and_not_added_to(tmp_path: Path) -> None:
    lake = make_lake(tmp_path, connections=3)
    DeltaTable(str(tmp_path / "dns")).alter.add_columns([Field("later", PrimitiveType("string"))])
    assert lake.connect().sql("select count(*) from dns").fetchall() == [(6,)]
    with pytest.raises(LakeError, match="/dns: written by a later release, with later; add to it with that one"):
        Lake.create(tmp_path)


def test_records_of_which_nobody_said_how_they_count_stand_together(empty_lake: Lake) -> None:
    rows = make_tables()["flows"].slice(0, 6).to_pylist()
    told = ("alone", None, "not", None, "first", "later")
    flows = [row | {"counted": how, "connection_records": how and 1} for row, how in zip(rows, told, strict=True)]
    empty_lake.append({"flows": pa.Table.from_pylist(flows, schema=TABLES["flows"].schema)})
    for file in empty_lake.files("flows"):
        stored = pq.ParquetFile(file.path).read(["counted", "start_time"])
        undecided = stored["counted"].is_null().to_pylist()
        assert undecided == sorted(undecided)
        for wanted in (True, False):
            times = [
                time for time, lacks in zip(stored["start_time"].to_pylist(), undecided, strict=True) if lacks == wanted
            ]
            assert times == sorted(times)


def test_a_new_volume_is_no_foreign_folder(tmp_path: Path) -> None:
    (tmp_path / "lost+found").mkdir()
    (tmp_path / ".snapshot").mkdir()
    assert Lake.create(tmp_path).span() is None


def test_of_two_that_go_on_at_the_same_moment_one_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lake = Lake.create(tmp_path / "lake")
    nothing = {"coverage": TABLES["coverage"].schema.empty_table()}
    refuse_others = delta._refuse_others
    faster = iter([True])

    def overtaken(*told: Any) -> None:
        refuse_others(*told)
        if next(faster, False):
            lake.append(nothing, {"part": 9}, {"part": None})

    monkeypatch.setattr(delta, "_refuse_others", overtaken)
    with pytest.raises(OvertakenError, match="another writer has gone on"):
        lake.append(nothing, {"part": 8}, {"part": None})
    assert lake.transaction_version("coverage", "part") == 9
