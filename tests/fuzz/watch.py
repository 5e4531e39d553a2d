"""A thread that ends the run when the collector gives no sign of life, and how much memory there is in use."""

import ctypes
import gc
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa

PAGE = os.sysconf("SC_PAGE_SIZE")
HUNG = 3  # exit code
LIBC = ctypes.CDLL(None)


class Watch:
    """The kernels run without Python's lock, so that a thread can see them hang."""

    def __init__(self, seconds: float, hung: Callable[[], None]) -> None:
        self._seconds, self._hung, self._last = seconds, hung, time.monotonic()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._stopped = threading.Event()

    def start(self) -> None:
        self.beat()
        self._thread.start()

    def beat(self) -> None:
        self._last = time.monotonic()

    def stop(self) -> None:
        self._stopped.set()

    def _look(self) -> None:
        while time.monotonic() - self._last < self._seconds:
            if self._stopped.wait(0.5):
                return
        self._hung()
        sys.stdout.flush()
        os._exit(HUNG)


def held() -> int:
    """Octets of memory in use when cycles are collected and the allocators have given back what they can."""
    gc.collect()
    pa.default_memory_pool().release_unused()
    LIBC.malloc_trim(0)
    return resident()


def resident() -> int:
    """Octets of memory in use now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE
