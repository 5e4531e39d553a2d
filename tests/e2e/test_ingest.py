"""Ways into the lake that only the whole command shows."""

import json
import signal
import struct
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


def test_a_capture_is_added_once(tmp_path: Path, from_file: dict[str, int]) -> None:
    lake = tmp_path / "lake"
    assert tailrace("ingest", CAPTURES[0], CAPTURES[0], "--lake", lake).returncode == 0
    assert counts(lake) == from_file
    again = tailrace("ingest", CAPTURES[0], "--lake", lake)
    assert (again.returncode, again.stderr) == (0, f"tailrace: {CAPTURES[0]}: is in the lake already, left out\n")
    assert counts(lake) == from_file
    assert tailrace("ingest", CAPTURES[0], CAPTURES[1], "--lake", lake).returncode == 0
    assert counts(lake)["flows"] > from_file["flows"]


def test_a_time_far_ahead_leaves_the_lake_readable(tmp_path: Path) -> None:
    """Capture and lake both have to do with times that a stranger wrote."""
    frame = bytes.fromhex(
        "020000000001020000000002080045000020000000004011000001020304050607081389138a000c00000102 0304"
    )
    last = 0xFFFFFFFF
    record = struct.pack("<IIII", last, 999_999, len(frame), len(frame)) + frame
    path = tmp_path / "late.pcap"
    path.write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1) + record)
    assert tailrace("ingest", path, "--lake", tmp_path / "lake").returncode == 0
    assert counts(tmp_path / "lake")["flows"] == 1
    for verb in (["flows"], ["graph"], ["lake", "stats"]):
        done = tailrace(*verb, "--lake", tmp_path / "lake")
        assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr


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
