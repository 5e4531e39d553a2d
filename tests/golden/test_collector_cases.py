"""Captures with the records that came out of them: ``tests/golden/collector/<case>/`` holds both.

``pytest tests/golden --bless`` accepts the present records.
"""

import json
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pytest

from collector.kernels.state import Bounds
from tests.golden.make_captures import CAPTURES, FOLDER, capture_of
from tests.support.frames import SECOND, from_path, packets

CASES = sorted(path for path in FOLDER.iterdir() if path.is_dir())
BOUNDS = Bounds(1 << 10, 1 << 8, 60 * SECOND, 300 * SECOND, 5 * SECOND, 10 * SECOND)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_records_of_the_case(case: Path, bless: bool) -> None:
    seen = from_path(case / "capture.pcap", BOUNDS, **settings_of(case))
    told = {name: readable(getattr(seen, name)) for name in ("flows", "dns", "coverage")}
    golden = case / "records.json"
    if bless:
        golden.write_text(json.dumps(told, indent=1, ensure_ascii=True) + "\n")
    assert told == json.loads(golden.read_text())
    given, counted = packets(seen)
    assert given == counted


@pytest.mark.parametrize("case", CAPTURES)
def test_the_capture_is_what_the_script_makes(case: str) -> None:
    assert (FOLDER / case / "capture.pcap").read_bytes() == capture_of(case)


def settings_of(case: Path) -> dict[str, tuple[int, ...]]:
    told = case / "settings.json"
    more = json.loads(told.read_text()) if told.exists() else {}
    return {name: tuple(value) for name, value in more.items()}


def readable(table: pa.Table) -> list[dict[str, object]]:
    """Rows in an order of their own, without what is NULL and without the path the test ran on."""
    rows = [{name: _plain(value) for name, value in row.items() if value is not None} for row in table.to_pylist()]
    for row in rows:
        row.pop("source", None)
    return sorted(rows, key=repr)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return [list(item) if isinstance(item, tuple) else item for item in value] if isinstance(value, list) else value
