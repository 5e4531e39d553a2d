"""A lake that is written in small commits is merged while it is."""

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli.upkeep import kept_up
from store.lake import Lake
from tests.support.lake import make_tables

LATER = datetime(2026, 1, 17, tzinfo=UTC)
PATIENCE_S = 60


def test_small_files_are_merged_while_others_come(tmp_path: Path) -> None:
    lake = Lake.create(tmp_path / "lake")
    flows = make_tables(connections=12)["flows"]
    for place in range(0, flows.num_rows, 2):
        lake.append({"flows": flows.slice(place, 2)})
    before = len(lake.files("flows"))
    deadline = time.monotonic() + PATIENCE_S
    with kept_up(lake, lambda: LATER, every_s=0.1):
        while len(lake.files("flows")) >= before and time.monotonic() < deadline:
            time.sleep(0.05)
    assert len(lake.files("flows")) < before
    assert sum(file.rows for file in lake.files("flows")) == flows.num_rows


def test_a_lake_that_cannot_be_merged_is_told_and_tried_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    lake = Lake.create(tmp_path / "lake")
    (tmp_path / "lake" / "flows").rename(tmp_path / "away")
    deadline = time.monotonic() + PATIENCE_S
    with kept_up(lake, lambda: LATER, every_s=0.05):
        while len(caplog.records) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
    assert all("the table is gone from the lake" in record.message for record in caplog.records)
    assert len(caplog.records) >= 2
