"""Where the time goes: longer and longer beginnings of the pipeline over one capture, each timed from its first byte to its last.

Prints JSON: for each beginning the medians of wall and CPU seconds. What a stage takes is what it adds; where stages overlap in
time, CPU says more than wall.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

from benchmarks.subject import convert
from collector import driver
from collector.driver import Settings, collect
from collector.kernels.jit import entry
from collector.kernels.layout import DONE
from collector.kernels.run import fill_batch
from collector.sources.capture import BLOCK, CaptureFile, open_capture


@entry
def decode_all(state, data, frames, count):  # type: ignore[no-untyped-def]
    """In the place of ``run``: frames are decoded, and no table is touched."""
    control = state.control[0]
    while control.frame < count:
        fill_batch(state, data, frames, count)
    return DONE


def read(capture: str) -> None:
    buffer = memoryview(bytearray(BLOCK))
    with Path(capture).open("rb", buffering=0) as file:
        while file.readinto(buffer):
            pass


def walk(capture: str) -> None:
    with opened(capture) as source:
        for _ in source.blocks():
            pass


def decode(capture: str) -> None:
    with patch.object(driver, "run", decode_all):
        convert_to_arrow(capture)


def tables(capture: str) -> None:
    """All kernels; the rows they write are thrown away."""
    with patch.object(driver, "batches", lambda *_: iter(())):
        convert_to_arrow(capture)


def convert_to_arrow(capture: str) -> None:
    with opened(capture) as source:
        for _ in collect(source, Settings(seed=1)):
            pass


def write_parquet(capture: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        convert(capture, Path(folder))


STAGES: dict[str, Callable[[str], None]] = {
    "reading the file": read,
    "walking the frames": walk,
    "decoding": decode,
    "flow table and DNS": tables,
    "conversion to Arrow": convert_to_arrow,
    "writing Parquet (zstd)": write_parquet,
}


def opened(capture: str) -> CaptureFile:
    return open_capture(capture, sys.stdin.buffer)  # type: ignore[arg-type]


def timed(stage: Callable[[str], None], capture: str) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    stage(capture)
    return time.perf_counter() - wall, time.process_time() - cpu


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("capture")
    options.add_argument("small", help="a small capture, with which the kernels are loaded before anything is timed")
    options.add_argument("--rounds", type=int, default=3)
    chosen = options.parse_args()
    for stage in STAGES.values():
        stage(chosen.small)
    runs = [{name: timed(stage, chosen.capture) for name, stage in STAGES.items()} for _ in range(chosen.rounds)]
    medians = {
        name: [statistics.median(figures) for figures in zip(*(run[name] for run in runs), strict=True)]
        for name in STAGES
    }
    print(json.dumps(medians))


if __name__ == "__main__":
    main()
