"""Which records go into one window, and which from outside of it tell of them."""

from datetime import timedelta
from pathlib import Path

import pytest

from contract.columns import Table
from contract.dns import DNS
from contract.flows import FLOWS
from enricher import around
from enricher.around import windows
from store.lake import Lake
from tests.support.relabelled import CLUSTER, add, collected, differing, directory, everything, known_lake, relabel


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    made = known_lake(tmp_path_factory.mktemp("around"))
    add(made, collected(), directory())
    return made


def test_windows_of_few_records_are_the_whole_without_gap(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(around, "WINDOW_ROWS", 300)
    span = lake.span()
    assert span
    found = list(windows(lake, span[0], span[1], CLUSTER))
    assert len(found) > 3
    assert [span[0], *(end for _, end in found)] == [*(begin for begin, _ in found), span[1]]
    query = "select (select count(*) from flow_records) + (select count(*) from dns_records)"
    counts = []
    for begin, end in found:
        with lake.connect(begin, end) as views:
            counts += views.sql(query).fetchall()[0]
    assert sum(counts) == sum(table.num_rows for table in collected().values())
    assert min(counts) > 0


def test_where_nothing_was_recorded_there_is_no_window(lake: Lake) -> None:
    span = lake.span()
    assert span
    assert list(windows(lake, span[1], span[1] + timedelta(days=1), CLUSTER)) == []
    assert list(windows(lake, span[0], span[1], "another")) == []


def test_windows_of_few_records_change_no_more_than_one(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    before, versions = everything(lake), lake.versions()
    monkeypatch.setattr(around, "WINDOW_ROWS", 600)
    assert relabel(lake).changed == 0
    assert differing(everything(lake), before) == []
    assert lake.versions() == versions


@pytest.mark.parametrize("table", [FLOWS, DNS], ids=["flows", "dns"])
def test_where_only_one_table_was_recorded_it_is_relabelled(tmp_path: Path, table: Table) -> None:
    lake = known_lake(tmp_path)
    part = {name: rows if name == table.name else rows.slice(0, 0) for name, rows in collected().items()}
    add(lake, part, directory())
    changes = relabel(lake)
    assert (changes.records, changes.changed) == (collected()[table.name].num_rows, 0)
