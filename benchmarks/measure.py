"""One program as a child process of its own: wall clock, CPU, and the most memory it held.

The system counts the memory of the process that starts a program to the program. So whoever measures imports nothing large; a
peak below its own size, some 30 MB, cannot be told.
"""

import os
import resource
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
TIMEOUT = 900  # seconds


class Run(NamedTuple):
    """Seconds and bytes; children that the program waited for are in ``cpu``, the largest of them all in ``peak``."""

    wall: float
    cpu: float
    peak: int
    floor: int  # the size of who measured: the true peak may be smaller where ``peak`` is no larger
    output: str


def run(command: Sequence[object], folder: Path) -> Run:
    """Run to the end; its output is left in ``folder``. A program that fails ends the benchmark."""
    words = [str(word) for word in command]
    with (folder / "stdout").open("wb") as output, (folder / "stderr").open("wb") as errors:
        start = time.perf_counter()
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=output, stderr=errors, cwd=ROOT)
        wall, usage = wait(process, start)
    if process.returncode:
        said = (folder / "stderr").read_text(errors="replace")[-500:]
        raise SystemExit(f"{words[0]} ended with {process.returncode}: {said}")
    return Run(
        wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, own_peak(), (folder / "stdout").read_text()
    )


def own_peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def wait(process: "subprocess.Popen[bytes]", start: float) -> tuple[float, resource.struct_rusage]:
    """Wall seconds since ``start`` and what the process used; one that takes too long is killed."""
    guard = threading.Timer(TIMEOUT, process.kill)
    guard.start()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    guard.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    return wall, usage
