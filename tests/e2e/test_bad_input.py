"""What is wrong with an input is said in one line that names it; what was read before is kept."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.sample import CAPTURES, OBJECTS, tailrace

KEPT, MALFORMED, WRONG_USAGE = 0, 1, 2


def said(done: subprocess.CompletedProcess[str]) -> str:
    """The one line of an error."""
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("tailrace: ")
    return lines[0]


def rows(lake: Path, table: str = "flows") -> int:
    done = tailrace("sql", "--lake", lake, "--format", "json", f"select count(*) as n from {table}")
    assert done.returncode == 0, done.stderr
    count: int = json.loads(done.stdout)[0]["n"]
    return count


@pytest.fixture(scope="module")
def capture() -> bytes:
    return gzip.decompress(CAPTURES[0].read_bytes())


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("empty.pcap", b"", "is empty"),
        ("notes.txt", b"dear diary, no packets today\n", "no capture starts with 64 65 61 72"),
        ("header.pcap", bytes.fromhex("d4c3b2a1") + b"\0" * 8, "header is cut short"),
        ("cut.pcap.gz", gzip.compress(b"x" * 4096)[:30], "cut.pcap.gz"),
    ],
)
def test_a_file_that_is_no_capture(tmp_path: Path, name: str, content: bytes, word: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    done = tailrace("ingest", path, "--lake", tmp_path / "lake")
    assert done.returncode == MALFORMED
    assert word in said(done)
    assert str(path) in said(done)


def test_a_capture_cut_in_the_middle_keeps_what_came_before(tmp_path: Path, capture: bytes) -> None:
    path = tmp_path / "cut.pcapng"
    path.write_bytes(capture[: len(capture) // 2 + 3])
    done = tailrace("ingest", path, "--lake", tmp_path / "lake")
    assert done.returncode == MALFORMED
    assert "is cut short; what came before was kept" in said(done)
    assert rows(tmp_path / "lake") > 100


def test_a_broken_file_does_not_keep_others_out(tmp_path: Path, capture: bytes) -> None:
    broken, whole = tmp_path / "broken.pcap", tmp_path / "whole.pcapng"
    broken.write_bytes(b"no")
    whole.write_bytes(capture)
    done = tailrace("ingest", broken, whole, "--lake", tmp_path / "lake")
    assert done.returncode == MALFORMED
    assert str(broken) in said(done)
    assert rows(tmp_path / "lake") > 1000


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("not json", "JSON"),
        ('{"kind": "Pod"}', "List"),
        ('{"kind": "List", "items": []}', "kubectl"),
        ('{"kind": "List", "items": [{"kind": "Pod", "metadata": {}}]}', "items[0].metadata"),
    ],
)
def test_a_wrong_kubernetes_dump(tmp_path: Path, content: str, word: str) -> None:
    dump = tmp_path / "objects.json"
    dump.write_text(content)
    done = tailrace("ingest", CAPTURES[0], "--kube", dump, "--lake", tmp_path / "lake")
    assert done.returncode == MALFORMED
    assert word in said(done)
    assert str(dump) in said(done)
    assert not (tmp_path / "lake").exists()


def test_no_such_file_is_wrong_usage(tmp_path: Path) -> None:
    done = tailrace("ingest", tmp_path / "absent.pcap", "--lake", tmp_path / "lake")
    assert done.returncode == WRONG_USAGE
    assert "no such file" in said(done)


def test_a_folder_that_is_no_lake(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    done = tailrace("ingest", CAPTURES[0], "--lake", tmp_path)
    assert done.returncode == MALFORMED
    assert "no lake" in said(done)
    read = tailrace("sql", "--lake", tmp_path, "select 1")
    assert read.returncode == MALFORMED
    assert "not a lake" in said(read)


def test_no_permission(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    weak = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    done = ingest_under(weak, closed / "lake")
    assert done.returncode == MALFORMED
    assert f"{closed / 'lake'}: cannot make a lake here: Permission denied" in said(done)


def test_disk_full(tmp_path: Path) -> None:
    """A file system too small for the sample, mounted where this process alone sees it."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a file system")
    mounted = 'mount -t tmpfs -o size=200k none "$0" && exec "$@"'
    done = ingest_under(["unshare", "--mount", "sh", "-c", mounted, str(tmp_path)], tmp_path)
    assert done.returncode == MALFORMED, done.stderr
    assert "full" in said(done)


def ingest_under(prefix: list[str], lake: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cli", "ingest", str(CAPTURES[0]), "--kube", str(OBJECTS), "--lake", str(lake)]
    return subprocess.run([*prefix, *command], capture_output=True, text=True, timeout=300, check=False)


def test_wrong_usage(tmp_path: Path) -> None:
    for arguments in (
        ["ingest"],
        ["ingest", "=x.pcap", "--lake", tmp_path],
        ["ingest", tmp_path, "--lake", tmp_path],
        ["nonsense"],
    ):
        assert tailrace(*arguments).returncode == WRONG_USAGE
