"""Who takes the packets in `benchmarks.live`: each a process of its own in the receiving namespace.

``ready`` is what it prints when it takes packets, ``end`` the signal that ends it; ``count`` reads what it saw and lost
from what it wrote.
"""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from benchmarks.measure import ROOT
from benchmarks.veth import DEVICE

SNAP = "128"
BUFFER_KIB = "65536"  # as large as Tailrace's ring
NOWHERE = "kafka://127.0.0.1:9/tailrace"  # nobody listens: batches go to the spool
Command = list[object]


class Counted(NamedTuple):
    """Packets; None: it does not say."""

    seen: int | None
    lost: int | None


class Receiver(NamedTuple):
    name: str
    program: str
    command: Callable[[Path], Command]
    ready: str
    count: Callable[[Path], Counted]
    end: int = signal.SIGTERM
    thread: str = ""  # the name of those that take packets, where others work beside them
    ask: Callable[[Path], Command] | None = None  # what tells of it while it runs


def _tailrace(*into: object) -> Command:
    common = ("collect", "--interface", DEVICE, "--node", "node", "--cluster", "cluster", "--log-level", "info")
    return [sys.executable, "-m", "cli", *common, *into]


def _to_lake(folder: Path) -> Command:
    return _tailrace("--lake", folder / "lake")


def _to_spool(folder: Path) -> Command:
    return _tailrace("--to", NOWHERE, "--spool", folder / "spool")


def _tcpdump(folder: Path) -> Command:
    return ["tcpdump", "-Z", "root", "-n", "-i", DEVICE, "-s", SNAP, "-B", BUFFER_KIB, "-w", "/dev/null"]


def _softflowd(folder: Path) -> Command:
    files = ["-p", folder / "pid", "-c", folder / "control"]
    return ["softflowd", "-d", "-i", DEVICE, "-n", "127.0.0.1:9", "-v", "9", "-m", "1048576", *files]


def _ask_softflowd(folder: Path) -> Command:
    return ["softflowctl", "-c", folder / "control", "statistics"]


def _counted_in_lake(folder: Path) -> Counted:
    query = "select sum(packets) as seen, sum(kernel_drops) as lost from coverage"
    command = [sys.executable, "-m", "cli", "sql", "--lake", str(folder / "lake"), "--format", "json", query]
    told = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    (row,) = json.loads(told)
    return Counted(int(row["seen"]), int(row["lost"]))


def _counted_in_spool(folder: Path) -> Counted:
    """The coverage among the messages that wait."""
    command = [sys.executable, "-m", "benchmarks.spooled", str(folder / "spool")]
    told = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return Counted(**json.loads(told))


def _counted_by_tcpdump(folder: Path) -> Counted:
    said = (folder / "stderr").read_text()
    return Counted(_number(r"(\d+) packets captured", said), _number(r"(\d+) packets dropped by kernel", said))


def _counted_by_softflowd(folder: Path) -> Counted:
    said = (folder / "asked").read_text()
    return Counted(_number(r"Packets processed: (\d+)", said), _number(r"Packets dropped by libpcap: (\d+)", said))


def _number(pattern: str, text: str) -> int | None:
    found = re.findall(pattern, text)
    return int(found[-1]) if found else None


RECEIVERS = (
    Receiver("tailrace, to a lake", sys.executable, _to_lake, "capturing", _counted_in_lake, thread="capture"),
    Receiver("tailrace, to a spool", sys.executable, _to_spool, "capturing", _counted_in_spool, thread="capture"),
    Receiver("tcpdump -s128 -w /dev/null", "tcpdump", _tcpdump, "listening on", _counted_by_tcpdump, signal.SIGINT),
    Receiver(
        "softflowd -m", "softflowd", _softflowd, "starting data collection", _counted_by_softflowd, ask=_ask_softflowd
    ),
)
