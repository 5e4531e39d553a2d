"""What capture takes from bulk TCP: the same transfer by turns over two wires, a receiver on one of them.

The machine swings by more than capture costs, less so from one third of a second to the next: each transfer is compared
with its neighbour over the other wire, and their order changes every time. Nobody on either wire is the check.
Needs root, iproute2 and iperf3.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks import machine
from benchmarks.receivers import RECEIVERS, Receiver
from benchmarks.running import running, said_by
from benchmarks.veth import ADDRESSES, Pair, inside, veth_pair

NOBODY = "nobody"
PAIRS = 200
MEGABYTES = 500  # of a transfer: a third of a second
CORE = "0,0"  # of both ends: over two cores a veth pair loses segments, and how many swings
DRAWS = 2000  # of the bootstrap
SURE = 0.95
SEED = 1


class Transfer(NamedTuple):
    """``cost``: seconds of CPU of both ends for each GB, with what the kernel does."""

    seconds: float
    gigabits: float
    cost: float


class Compared(NamedTuple):
    """Neighbours in time; ``receiver``: CPU of who captures, for each second of captured transfers."""

    captured: list[Transfer]
    alone: list[Transfer]
    receiver: float = 0.0


class Job(NamedTuple):
    pairs: int
    gigabits: float


class Wires(NamedTuple):
    captured: Pair
    alone: Pair


@contextmanager
def two_wires() -> Iterator[Wires]:
    with ExitStack() as stack:
        wires = Wires(*(stack.enter_context(veth_pair(name)) for name in Wires._fields))
        for wire in wires:
            stack.enter_context(serving(wire))
        time.sleep(1)
        yield wires


@contextmanager
def serving(wire: Pair) -> Iterator[None]:
    command = [str(word) for word in inside(wire.receiving, ["iperf3", "-s", "-B", ADDRESSES[1]])]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            yield
        finally:
            server.terminate()


def beside(receiver: Receiver, wires: Wires, job: Job) -> Compared:
    with tempfile.TemporaryDirectory() as name, running(receiver, wires.captured.receiving, Path(name)) as one:
        before = one.used()
        found = in_turn(wires, job)
        seconds = sum(transfer.seconds for transfer in found.captured)
        return found._replace(receiver=(one.used() - before) / seconds)


def in_turn(wires: Wires, job: Job) -> Compared:
    found = Compared([], [])
    for number in range(job.pairs):
        both = list(zip(wires, found, strict=False))
        for wire, transfers in both if number % 2 else reversed(both):
            transfers.append(transfer(wire, job.gigabits))
    return found


def transfer(wire: Pair, gigabits: float) -> Transfer:
    command = ["iperf3", "-c", ADDRESSES[1], "-n", f"{MEGABYTES}M", "-A", CORE, "-b", f"{gigabits}G", "-J"]
    told = json.loads(said_by(inside(wire.sending, command)))["end"]
    received, busy = told["sum_received"], told["cpu_utilization_percent"]
    used = (busy["host_total"] + busy["remote_total"]) / 100 * received["seconds"]
    return Transfer(received["seconds"], received["bits_per_second"] / 1e9, used / (received["bytes"] / 1e9))


def table(found: dict[str, Compared]) -> Iterator[str]:
    yield "| receiver | Gbit/s | / without | 95 % of draws | CPU of both ends a GB, / without | 95 % of draws | receiver, CPU |"
    yield "|---|---:|---:|---:|---:|---:|---:|"
    for name, one in found.items():
        neighbours = list(zip(one.captured, one.alone, strict=True))
        rates = [with_it.gigabits / without.gigabits for with_it, without in neighbours]
        costs = [with_it.cost / without.cost for with_it, without in neighbours]
        gigabits = median(transfer.gigabits for transfer in one.captured)
        cells = [f"{gigabits:.2f}", *estimated(rates), *estimated(costs), f"{one.receiver * 100:.1f} %"]
        yield "| " + " | ".join([name, *cells]) + " |"


def estimated(ratios: list[float]) -> tuple[str, str]:
    """The median, and where it lies in most samples drawn from the same ratios."""
    draw = random.Random(SEED)
    medians = sorted(median(draw.choices(ratios, k=len(ratios))) for _ in range(DRAWS))
    least, most = medians[round(DRAWS * (1 - SURE) / 2)], medians[round(DRAWS * (1 + SURE) / 2) - 1]
    return f"{median(ratios):.3f}", f"{least:.3f} to {most:.3f}"


def arguments() -> argparse.Namespace:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--pairs", type=int, default=PAIRS, help="of transfers beside each receiver (%(default)s)")
    options.add_argument("--gigabits", type=float, default=0, help="a second, as of a wire; 0: all that a core can")
    return options.parse_args()


def main() -> None:
    chosen = arguments()
    job = Job(chosen.pairs, chosen.gigabits)
    if os.geteuid() or not shutil.which("ip") or not shutil.which("iperf3"):
        raise SystemExit("needs root, iproute2 and iperf3")
    print(machine.describe(), flush=True)
    with two_wires() as wires:
        found = {NOBODY: in_turn(wires, job)}
        for receiver in RECEIVERS:
            if shutil.which(receiver.program):
                print(receiver.name, file=sys.stderr, flush=True)
                found[receiver.name] = beside(receiver, wires, job)
    print("\n".join(table(found)), flush=True)
    print(f"Load at the end: {os.getloadavg()[0]:.1f}.")


if __name__ == "__main__":
    main()
