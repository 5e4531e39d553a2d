"""`tailrace collect` in a network namespace, with the rights that its DaemonSet gives: what its health port and its log say."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from socket import AF_INET, SOCK_DGRAM, socket

import pytest
from prometheus_client.parser import text_string_to_metric_families as parsed

from store.lake import Lake
from tests.support.kernels import compiled
from tests.support.namespaces import inside, namespaces, required

ROOT = Path(__file__).parents[2]
PORT = 9533
STARTED_S, STOPPED_S, COUNTED_S = 240.0, 60.0, 20.0
RIGHTS = ("setpriv", "--bounding-set=-all,+net_raw", "--no-new-privs")
SENT, OCTETS = 50, 100


def get(path: str) -> tuple[int, str]:
    connection = HTTPConnection("127.0.0.1", PORT, timeout=5)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def is_served(path: str) -> bool:
    try:
        return get(path)[0] == 200
    except OSError:
        return False


@contextmanager
def collecting(lake: Path, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    compiled()
    flags = ["-i", "lo", "--lake", str(lake), "--interval", "1", "--round", "1", "--health", f"127.0.0.1:{PORT}"]
    with log.open("wb") as stderr:
        process = subprocess.Popen([*RIGHTS, sys.executable, "-m", "cli", "collect", *flags], cwd=ROOT, stderr=stderr)
        try:
            yield process
        finally:
            process.kill()
            process.wait(STOPPED_S)


def until(there: Callable[[], bool], process: "subprocess.Popen[bytes]", log: Path, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not there():
        assert process.poll() is None and time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)


def packets() -> float:
    families = {family.name: family for family in parsed(get("/metrics")[1])}
    samples = families["tailrace_collector_packets"].samples
    return sum(sample.value for sample in samples if sample.labels == {"interface": "lo"})


@pytest.mark.service
def test_what_is_captured_is_counted_and_it_ends_cleanly_without_a_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    required()
    for name in [name for name in os.environ if name.startswith("TAILRACE_") and name != "TAILRACE_CACHE"]:
        monkeypatch.delenv(name)
    log, lake = tmp_path / "log", tmp_path / "lake"
    with namespaces("health") as (name,), inside(name), collecting(lake, log) as process:
        until(lambda: is_served("/healthz"), process, log, STARTED_S)
        assert get("/readyz") == (200, "ok\n")
        with socket(AF_INET, SOCK_DGRAM) as sender:
            for _ in range(SENT):
                sender.sendto(bytes(OCTETS), ("127.0.0.1", 9))
        until(lambda: packets() >= SENT, process, log, COUNTED_S)
        status = Path(f"/proc/{process.pid}/status").read_text()
        assert "CapEff:\t0000000000000000" in status and "CapPrm:\t0000000000000000" in status
        process.send_signal(signal.SIGTERM)
        assert process.wait(STOPPED_S) == 0, log.read_text()
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert {line["level"] for line in lines} == {"info"}
    assert all({"time", "level", "logger", "message"} <= line.keys() for line in lines)
    query = "select sum(src_packets), sum(src_bytes) from flows where protocol = 17 and dst_port = 9"
    assert Lake.open(str(lake)).connect().sql(query).fetchall() == [(SENT, SENT * (OCTETS + 28))]
