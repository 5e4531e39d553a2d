"""Live capture between two network namespaces, beside others: what is lost, and what a packet costs.

In each round everybody has one turn, at each rate, so that a slow minute of the machine falls on all; medians are printed.
Needs root and iproute2; receivers are those that are installed.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks import machine
from benchmarks.collector import prepare
from benchmarks.receivers import RECEIVERS, Counted, Receiver
from benchmarks.running import running, said_by
from benchmarks.traces import MILLION, MIX
from benchmarks.veth import DEVICE, Pair, inside, veth_pair

RATES = "0,200000"  # packets a second; 0: all that the sender can
SECONDS = 6  # at a rate
SETTLE = 2.0  # seconds until what is in a ring was read
NOBODY = "nobody"


class Sent(NamedTuple):
    """``rate``: packets a second; ``cpu``: seconds of the sender, with what the kernel does for who captures."""

    packets: int
    rate: float
    cpu: float


class Turn(NamedTuple):
    """Seconds, octets; ``reader``: CPU while packets came, of the threads that take them."""

    sent: Sent
    counted: Counted
    ready: float = 0.0
    reader: float = 0.0
    process: float = 0.0
    rest: int = 0
    peak: int = 0


def send(pair: Pair, capture: Path, rate: int, packets: int) -> Sent:
    words: list[object] = [sys.executable, "-m", "benchmarks.sending", capture, DEVICE, "--rate", rate]
    told = json.loads(said_by(inside(pair.sending, [*words, "--packets", packets])))
    return Sent(told["packets"], told["packets"] / told["seconds"], told["cpu"])


def turn(receiver: Receiver, pair: Pair, capture: Path, rate: int, packets: int) -> Turn:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with running(receiver, pair.receiving, folder) as one:
            rest, begun, before = one.resident(), one.used(), one.used(receiver.thread)
            sent = send(pair, capture, rate, packets)
            time.sleep(SETTLE)
            reader = one.used(receiver.thread) - before
        whole = one.usage.ru_utime + one.usage.ru_stime - begun
        peak = one.usage.ru_maxrss * 1024
        return Turn(sent, receiver.count(folder), one.ready, reader, whole, rest, peak)


def flood(receivers: list[Receiver], pair: Pair, capture: Path, job: "Job") -> dict[tuple[int, str], list[Turn]]:
    turns: dict[tuple[int, str], list[Turn]] = defaultdict(list)
    for number in range(job.rounds):
        for rate in job.rates:
            packets = min(job.packets, rate * SECONDS or job.packets)
            say(f"round {number + 1} of {job.rounds}, {rate or 'all'} packets/s")
            turns[rate, NOBODY].append(Turn(send(pair, capture, rate, packets), Counted(None, None)))
            for receiver in receivers:
                turns[rate, receiver.name].append(turn(receiver, pair, capture, rate, packets))
                say(f"{receiver.name}: {turns[rate, receiver.name][-1]}")
    return turns


class Job(NamedTuple):
    rates: list[int]
    rounds: int
    packets: int


def flood_table(turns: dict[tuple[int, str], list[Turn]]) -> Iterator[str]:
    columns = ("rate", "receiver", "sent, M packets/s", "sender, µs CPU a packet", "packets not seen", "kernel drops")
    columns += ("reader, µs CPU a packet", "process, µs CPU a packet", "at rest MB", "peak MB", "ready s")
    yield "| " + " | ".join(columns) + " |"
    yield "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
    for (rate, name), those in turns.items():
        yield "| " + " | ".join([f"{rate:,}" if rate else "all", name, *cells(those)]) + " |"


def cells(those: list[Turn]) -> Iterator[str]:
    yield f"{median(one.sent.rate for one in those) / 1e6:.2f}"
    yield f"{median(one.sent.cpu / one.sent.packets for one in those) * 1e6:.2f}"
    if not those[0].peak:
        yield from [""] * 7
        return
    yield worst([None if one.counted.seen is None else one.sent.packets - one.counted.seen for one in those])
    yield worst([one.counted.lost for one in those])
    yield f"{median(one.reader / one.sent.packets for one in those) * 1e6:.2f}"
    yield f"{median(one.process / one.sent.packets for one in those) * 1e6:.2f}"
    yield f"{max(one.rest for one in those) / 1e6:.0f}"
    yield f"{max(one.peak for one in those) / 1e6:.0f}"
    yield f"{median(one.ready for one in those):.2f}"


def worst(numbers: list[int | None]) -> str:
    return ", ".join("?" if number is None else f"{number:,}" for number in numbers) if any(numbers) else "0"


def say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


def arguments() -> argparse.Namespace:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cache = Path(tempfile.gettempdir()) / "tailrace-benchmarks"
    options.add_argument("--folder", type=Path, default=cache, help="where traces are kept (%(default)s)")
    options.add_argument(
        "--rates", default=RATES, metavar="N,...", help="packets a second; 0: all there can be (%(default)s)"
    )
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--divide", type=int, default=1, metavar="N", help="N times fewer packets, to try it out")
    options.add_argument("--million", action="store_true", help="a million connections at a time, for the memory")
    return options.parse_args()


def main() -> None:
    chosen = arguments()
    if os.geteuid() or not shutil.which("ip"):
        raise SystemExit("network namespaces need root and iproute2")
    trace = MILLION if chosen.million else MIX
    capture = prepare(trace, chosen.folder, 1)
    rates = [int(rate) for rate in chosen.rates.split(",")]
    job = Job(rates, chosen.rounds, capture.packets // chosen.divide)
    receivers = [receiver for receiver in RECEIVERS if shutil.which(receiver.program)]
    print(machine.describe(), flush=True)
    with veth_pair() as pair:
        print("\n".join(flood_table(flood(receivers, pair, capture.path, job))), flush=True)
    print(f"Load at the end: {os.getloadavg()[0]:.1f}.")


if __name__ == "__main__":
    main()
