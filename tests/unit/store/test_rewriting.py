"""Rows replaced while others write and read: nothing is lost, nothing stands twice, nobody is turned away."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from contract.errors import OvertakenError
from contract.tables import TABLES
from store import delta, portion
from store.lake import Lake
from store.portion import gathered
from store.rewriting import STAGED, Rewriting
from tests.support.lake import START, make_lake, make_tables

NOW = datetime(2026, 12, 1, tzinfo=UTC)
SINCE, UNTIL = START + timedelta(minutes=30), START + timedelta(minutes=120)


def flows(seed: int, cluster: str | None = "shop") -> pa.Table:
    """``cluster`` on every second row, none on the others."""
    table = make_tables(seed, 100)["flows"]
    names = [cluster if row % 2 else None for row in range(table.num_rows)]
    place = table.schema.get_field_index("cluster")
    return table.set_column(place, table.schema.field(place), pa.array(names, pa.string()))


def ids(lake: Lake) -> list[str]:
    with lake.connect() as views:
        return sorted(row[0] for row in views.sql("select connection_id from flow_records").fetchall())


def marked(rows: pa.Table) -> pa.Table:
    place = rows.schema.get_field_index("connection_id")
    names = pc.binary_join_element_wise(rows["connection_id"], "again", " ")
    return rows.set_column(place, rows.schema.field(place), names)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    made = Lake.create(tmp_path)
    for seed in (1, 2, 3):
        made.append({"flows": flows(seed)}, {"enricher": seed})
    return made


@pytest.mark.parametrize("cluster", ["shop", ""])
def test_only_the_rows_of_the_range_and_cluster_are_others(lake: Lake, cluster: str) -> None:
    with lake.connect() as views:
        chosen = "cluster is null" if cluster == "" else "cluster = 'shop'"
        window = f"start_time >= '{SINCE}' and start_time < '{UNTIL}'"
        wanted = sorted(
            f"{name} again" if inside else name
            for name, inside in views.sql(
                f"select connection_id, coalesce({chosen}, false) and {window} from flow_records"
            ).fetchall()
        )
    held = lake.portion("flows", SINCE, UNTIL, cluster)
    held.replace(marked(held.rows()), NOW)
    assert ids(lake) == wanted
    assert any(name.endswith(" again") for name in wanted)
    assert any(not name.endswith(" again") for name in wanted)


def test_what_is_appended_meanwhile_stays(lake: Lake) -> None:
    before = ids(lake)
    held = lake.portion("flows", SINCE, UNTIL, "shop")
    rows = held.rows()
    lake.append({"flows": flows(4)}, {"enricher": 4})
    held.replace(rows, NOW)
    assert ids(lake) == sorted(before + flows(4)["connection_id"].to_pylist())
    assert lake.transaction_version("flows", "enricher") == 4


def test_of_two_rewritings_of_one_version_one_is_refused(lake: Lake) -> None:
    before = ids(lake)
    one, other = (lake.portion("flows", SINCE, UNTIL, "shop") for _ in range(2))
    one.replace(one.rows(), NOW)
    with pytest.raises(OvertakenError, match="rewritten by somebody else meanwhile"):
        other.replace(other.rows(), NOW)
    assert ids(lake) == before


def test_no_writer_is_turned_away_by_rewritings(lake: Lake) -> None:
    before, rounds = ids(lake), 12

    def rewrite() -> None:
        for _ in range(rounds):
            held = lake.portion("flows", SINCE, UNTIL, "shop")
            held.replace(held.rows(), NOW)

    thread = Thread(target=rewrite)
    thread.start()
    for number in range(rounds):
        lake.append({"flows": flows(7)}, {"enricher": 10 + number}, {"enricher": 9 + number if number else 3})
    thread.join()
    assert ids(lake) == sorted(before + rounds * flows(7)["connection_id"].to_pylist())


def test_one_that_is_cut_off_changes_nothing(lake: Lake) -> None:
    before = ids(lake)
    rewriting = Rewriting(TABLES["flows"], lake.folder / "flows")

    def cut_off() -> Iterator[pa.Table]:
        yield flows(5)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rewriting.replace(rewriting.files, cut_off(), delta.RELABELLED, NOW)
    assert ids(lake) == before
    assert not list((lake.folder / "flows").glob(f"{STAGED}*"))


def test_a_range_without_rows_left_needs_no_file(lake: Lake) -> None:
    held = lake.portion("flows", START, START + timedelta(days=1), "shop")
    held.replace(held.rows().slice(0, 0), NOW)
    with lake.connect() as views:
        assert views.sql("select count(*), count(cluster) from flow_records").fetchall()[0][1] == 0


def test_pieces_are_no_larger_than_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portion, "FILE_ROWS", 10)
    whole = pa.table({"row": range(32)})
    pieces = [whole.slice(start, size) for start, size in ((0, 3), (3, 4), (7, 25), (32, 0))]
    found = list(gathered(pieces))
    assert [piece.num_rows for piece in found] == [10, 10, 10, 2]
    assert pa.concat_tables(found)["row"].to_pylist() == list(range(32))
    assert list(gathered([])) == []


def test_readers_that_began_before_read_on(tmp_path: Path) -> None:
    lake = make_lake(tmp_path, connections=20)
    with lake.connect() as views:
        held = lake.portion("flows", START, START + timedelta(days=1), "")
        held.replace(held.rows(), NOW)
        assert views.sql("select count(*) from flow_records").fetchall()[0][0] == len(ids(lake))
