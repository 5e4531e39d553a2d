"""Kernels compiled before a test waits for a process that calls them: that takes a minute, or some on a busy machine."""

import subprocess
import sys
from functools import cache


@cache
def compiled() -> None:
    subprocess.run([sys.executable, "-m", "cli", "warmup"], check=True, capture_output=True, timeout=900)
