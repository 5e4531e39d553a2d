"""One program as a child process of its own: wall clock, CPU, and the most memory it held.

The system counts the memory of the process that starts a program to the program. So whoever measures imports nothing large; a
peak below its own size, some 30 MB, cannot be told.
"""

import os
import resource
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
TIMEOUT = 900.0  # seconds
MOST_OUTPUT = 1 << 16  # octets that are kept of what a program prints: some print their records


class Run(NamedTuple):
    """Seconds and bytes; children that the program waited for are in ``cpu``, the largest of them all in ``peak``."""

    wall: float
    cpu: float
    peak: int
    floor: int  # the size of who measured: the true peak may be smaller where ``peak`` is no larger
    output: str
    stopped: bool = False  # at its time limit


def run(command: Sequence[object], folder: Path, limit: float = TIMEOUT, status: int = 0) -> Run:
    """Run to the end or to the limit (seconds), output into ``folder``. Another exit status ends the benchmark."""
    words = [str(word) for word in command]
    with (folder / "stdout").open("wb") as output, (folder / "stderr").open("wb") as errors:
        start = time.perf_counter()
        process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=output, stderr=errors, cwd=ROOT, start_new_session=True
        )
        usage = _wait(process, limit)
        wall = time.perf_counter() - start
    stopped = process.returncode == -signal.SIGKILL and wall >= limit
    if process.returncode != status and not stopped:
        said = (folder / "stderr").read_text(errors="replace")[-500:]
        raise SystemExit(f"{words[0]} ended with {process.returncode}: {said}")
    used = usage.ru_utime + usage.ru_stime
    return Run(wall, used, usage.ru_maxrss * 1024, _own_peak(), _start_of(folder / "stdout"), stopped)


def _own_peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _start_of(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(MOST_OUTPUT).decode(errors="replace")


def _wait(process: "subprocess.Popen[bytes]", limit: float) -> resource.struct_rusage:
    """What the process used; past its limit it is killed, and its children with it."""

    def stop() -> None:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)  # its own session, so the group is its own too

    guard = threading.Timer(limit, stop)
    guard.start()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    guard.cancel()
    return usage
