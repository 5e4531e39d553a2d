"""From a capture file to flow and DNS Parquet files, in packets a second, beside the flow meters that are installed.

Each round runs every program once on the same file, so that a slow minute of the machine falls on all; the medians are printed.
The peers write flow records only: no DNS, no names.
"""

import argparse
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pyarrow.parquet as pq

from benchmarks.traces import MIX, SHORT, Trace, write
from collector.driver import Settings, collect
from collector.sources.capture import open_capture
from contract.dns import DNS
from contract.flows import FLOWS

ROUNDS = 3
Program = Callable[[Path, Path], None]


def tailrace(capture: Path, folder: Path) -> None:
    writers = {
        table.name: pq.ParquetWriter(folder / f"{table.name}.parquet", table.collected, compression="zstd")
        for table in (FLOWS, DNS)
    }
    with open_capture(str(capture), sys.stdin.buffer) as opened:  # type: ignore[arg-type]
        for table, batch in collect(opened, Settings(seed=1)):
            if table in writers:
                writers[table].write_batch(batch)
    for writer in writers.values():
        writer.close()


def softflowd(capture: Path, folder: Path) -> None:
    with sink() as port:
        run("softflowd", "-d", "-r", capture, "-n", f"127.0.0.1:{port}", "-v", "9", "-p", folder / "pid", "-c", "none")


def nfpcapd(capture: Path, folder: Path) -> None:
    run("nfpcapd", "-r", capture, "-w", folder)


PEERS: dict[str, Program] = {"softflowd": softflowd, "nfpcapd": nfpcapd}


def run(*command: object) -> None:
    done = subprocess.run([str(word) for word in command], capture_output=True, timeout=600, check=False)
    if done.returncode:
        raise SystemExit(f"{command[0]} ended with {done.returncode}: {done.stderr.decode(errors='replace')[-300:]}")


@contextmanager
def sink() -> Iterator[int]:
    """A port that takes datagrams, so that an exporter is not told that nobody listens."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as taker:
        taker.bind(("127.0.0.1", 0))
        yield taker.getsockname()[1]


def measure(program: Program, capture: Path) -> tuple[float, float]:
    """Wall and CPU seconds, children included."""
    with tempfile.TemporaryDirectory() as folder:
        before, start = os.times(), time.perf_counter()
        program(capture, Path(folder))
        wall, after = time.perf_counter() - start, os.times()
    return wall, sum(after[:4]) - sum(before[:4])


def compare(trace: Trace, folder: Path, rounds: int) -> None:
    capture = write(trace, folder)
    programs = {"tailrace": tailrace} | {name: peer for name, peer in PEERS.items() if shutil.which(name)}
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in programs}
    for number in range(rounds):
        for name, program in programs.items():
            if sys.stderr.isatty():
                print(f"\r{trace.name}: round {number + 1} of {rounds}, {name:<12}", end="", file=sys.stderr)
            taken[name].append(measure(program, capture))
    print(f"\n{trace.name}: {trace.packets:,} packets, {trace.connections:,} connections, seed {trace.seed}")
    ours = statistics.median(wall for wall, _ in taken["tailrace"])
    for name, runs in taken.items():
        wall, cpu = (statistics.median(figures) for figures in zip(*runs, strict=True))
        rate = trace.packets / wall / 1e6
        print(
            f"  {name:<10} {rate:6.2f} M packets/s   {wall:6.2f} s   {cpu:6.2f} s CPU   {wall / ours:5.2f} × tailrace's time"
        )
    for name in PEERS.keys() - programs.keys():
        print(f"  {name:<10} not installed")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--traces", type=Path, default=Path(tempfile.gettempdir()) / "tailrace-traces")
    options.add_argument("--rounds", type=int, default=ROUNDS)
    chosen = options.parse_args()
    chosen.traces.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:  # compile the kernels before anything is timed
        small = write(Trace("warm-up", packets=10_000, connections=500, concurrent=100), chosen.traces)
        tailrace(small, Path(folder))
    for trace in (MIX, SHORT):
        compare(trace, chosen.traces, chosen.rounds)


if __name__ == "__main__":
    main()
