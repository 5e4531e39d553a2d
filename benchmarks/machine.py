"""What the figures were measured on: nothing that names a host, a user or a path."""

import os
import platform
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("numba", "numpy", "pyarrow")


def describe() -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    cores = len(os.sched_getaffinity(0))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{_processor()}, {cores} cores, {memory:.0f} GiB; Linux {platform.release().split('-')[0]}; "
        f"Python {platform.python_version()}, {packages}. Load at the start: {os.getloadavg()[0]:.1f}."
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
