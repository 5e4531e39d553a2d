"""Ways into the lake that only the whole command shows."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.sample import CAPTURES, tailrace


def counts(lake: Path) -> dict[str, int]:
    query = "select (select count(*) from flows) as flows, (select count(*) from dns_records) as dns"
    done = tailrace("sql", "--lake", lake, "--format", "json", query)
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)
    found: dict[str, int] = row
    return found


@pytest.fixture(scope="module")
def from_file(tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    lake = tmp_path_factory.mktemp("file") / "lake"
    done = tailrace("ingest", CAPTURES[0], "--lake", lake)
    assert (done.returncode, done.stderr) == (0, "")
    return counts(lake)


def test_stdin_is_read_like_a_file(tmp_path: Path, from_file: dict[str, int]) -> None:
    """Through a pipe: a file at stdin could be sought in."""
    pipe = subprocess.Popen(["cat", CAPTURES[0]], stdout=subprocess.PIPE)
    with pipe:
        done = tailrace("ingest", "-", "--lake", tmp_path / "lake", stdin=pipe.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert counts(tmp_path / "lake") == from_file


def test_a_capture_is_added_to_the_lake_that_is_there(tmp_path: Path, from_file: dict[str, int]) -> None:
    for _ in range(2):
        assert tailrace("ingest", CAPTURES[0], "--lake", tmp_path / "lake").returncode == 0
    assert counts(tmp_path / "lake") == {name: 2 * count for name, count in from_file.items()}


def test_an_interrupted_ingest_adds_nothing(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    command = [sys.executable, "-m", "cli", "ingest", "-", "--lake", str(lake)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as ingest:
        assert ingest.stdin is not None
        ingest.stdin.buffer.write(b"\xd4\xc3\xb2\xa1")
        ingest.stdin.flush()
        while not (lake / "coverage").exists():
            assert ingest.poll() is None
        ingest.send_signal(signal.SIGINT)
        _, said = ingest.communicate(timeout=60)
    assert ingest.returncode != 0
    assert "Traceback" not in said
    assert counts(lake) == {"flows": 0, "dns": 0}
