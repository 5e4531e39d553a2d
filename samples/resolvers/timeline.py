"""The timeline as a program in a pod follows it."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

STOPPING = threading.Event()
Times = tuple[float, float]


class Stage:
    """When the timeline began, and where the compiled programs are."""

    start = 0.0
    programs = Path()


def begin(start: Path, programs: Path) -> bool:
    """Wait for the file that tells the beginning; False if the pod is told to go before."""
    while not start.exists():
        if STOPPING.wait(0.2):
            return False
    Stage.start, Stage.programs = float(start.read_text()), programs
    return True


def until(second: float) -> bool:
    """Wait for a second of the timeline; False if the pod is told to go before."""
    return not STOPPING.wait(max(0.0, Stage.start + second - time.time()))


def every(seconds: float, action: Callable[[], object], times: Times) -> None:
    """Call an action at a steady pace within a part of the timeline."""
    first, last = times
    turn = 0
    while first + turn * seconds < last and until(first + turn * seconds) and time.time() < Stage.start + last:
        action()
        turn += 1
