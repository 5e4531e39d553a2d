"""A receiver of `benchmarks.receivers` at work in a namespace: until it is ready, what it uses, and until it has ended."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measure import ROOT
from benchmarks.receivers import Receiver
from benchmarks.veth import inside

SETTLE = 2.0  # seconds before packets come
PATIENCE = 120.0  # seconds until a program is ready, or has ended
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass
class Running:
    process: "subprocess.Popen[bytes]"
    ready: float
    usage: Any = None

    def used(self, name: str = "") -> float:
        """Seconds of CPU of the threads of that name, else of all that run."""
        tasks = Path(f"/proc/{self.process.pid}/task").iterdir()
        counted = [task for task in tasks if not name or (task / "comm").read_text().strip() == name]
        return sum(int((task / "schedstat").read_text().split()[0]) for task in counted) / 1e9

    def resident(self) -> int:
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * PAGE


@contextmanager
def running(receiver: Receiver, namespace: str, folder: Path) -> Iterator[Running]:
    """From when it is ready until it was told to end and did."""
    words = [str(word) for word in inside(namespace, receiver.command(folder))]
    with (folder / "stdout").open("wb") as output, (folder / "stderr").open("wb") as errors:
        start = time.perf_counter()
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=output, stderr=errors, cwd=ROOT)
    try:
        wait_for(receiver.ready, folder, process)
        told = Running(process, time.perf_counter() - start)
        time.sleep(SETTLE)
        yield told
        if receiver.ask:
            (folder / "asked").write_text(said_by(receiver.ask(folder)))
        process.send_signal(receiver.end)
        _, status, told.usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
            process.wait()
    if process.returncode not in (0, -receiver.end):
        raise SystemExit(f"{receiver.name} ended with {process.returncode}: {(folder / 'stderr').read_text()[-500:]}")


def wait_for(word: str, folder: Path, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + PATIENCE
    while word not in (folder / "stderr").read_text() + (folder / "stdout").read_text():
        if process.poll() is not None or time.monotonic() > until:
            raise SystemExit(f"not ready: {(folder / 'stderr').read_text()[-500:]}")
        time.sleep(0.01)


def said_by(command: list[object]) -> str:
    words = [str(word) for word in command]
    return subprocess.run(words, check=True, capture_output=True, text=True, cwd=ROOT, timeout=PATIENCE).stdout
