"""How `tailrace collect` starts: where kernels must be compiled first, and where nothing matches."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest

from collector.kernels import jit
from tests.support.kernels import compiled
from tests.support.namespaces import inside, namespaces, required

pytestmark = pytest.mark.service
ROOT = Path(__file__).parents[2]
PORT = 9534
STARTED_S, ENDED_S = 60.0, 20.0
PROMPTLY_S = 2.0


@pytest.fixture(autouse=True)
def nothing_told(monkeypatch: pytest.MonkeyPatch) -> None:
    required()
    for name in [name for name in os.environ if name.startswith("TAILRACE_") and name != "TAILRACE_CACHE"]:
        monkeypatch.delenv(name)


@contextmanager
def collecting(folder: Path, *flags: str) -> Iterator["subprocess.Popen[bytes]"]:
    words = ["-i", "lo", "--lake", str(folder / "lake"), "--health", f"127.0.0.1:{PORT}", *flags]
    with (
        namespaces("starts") as (name,),
        inside(name),
        (folder / "log").open("wb") as log,
        subprocess.Popen([sys.executable, "-m", "cli", "collect", *words], cwd=ROOT, stderr=log) as process,
    ):
        try:
            yield process
        finally:
            process.kill()


def said(folder: Path) -> list[str]:
    return [json.loads(line)["message"] for line in (folder / "log").read_text().splitlines()]


def get(path: str) -> tuple[int, str]:
    """Once it is served."""
    deadline = time.monotonic() + STARTED_S
    while True:
        connection = HTTPConnection("127.0.0.1", PORT, timeout=5)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        finally:
            connection.close()


@pytest.mark.skipif(not jit.COMPILED, reason="nothing is compiled where kernels are interpreted")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_while_kernels_are_compiled_it_says_so_and_can_be_ended(
    number: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAILRACE_CACHE", str(tmp_path / "cold"))
    with collecting(tmp_path) as process:
        assert get("/healthz") == (200, "ok\n")
        assert get("/readyz") == (503, "compiling kernels\n")
        begun = time.monotonic()
        process.send_signal(number)
        assert process.wait(ENDED_S) == 0
        assert time.monotonic() - begun < PROMPTLY_S
    assert said(tmp_path)[0].startswith(f"compiling kernels into {tmp_path}/cold/kernels/")


def test_interfaces_that_nothing_matches_are_told_and_counted(tmp_path: Path) -> None:
    compiled()
    with collecting(tmp_path, "-i", "!lo"):
        assert "\ntailrace_collector_interfaces 0.0\n" in get("/metrics")[1]
    assert "no interface matches lo, !lo; there are lo" in said(tmp_path)
