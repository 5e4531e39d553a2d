"""Live capture between two network namespaces, beside others: what is lost, what a packet costs, and what it takes from bulk TCP.

In each round everybody has one turn, at each rate, so that a slow minute of the machine falls on all; medians are printed.
Needs root and iproute2; receivers are those that are installed, bulk TCP is iperf3's.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from benchmarks import machine
from benchmarks.collector import prepare
from benchmarks.measure import ROOT
from benchmarks.receivers import RECEIVERS, Counted, Receiver
from benchmarks.traces import MILLION, MIX
from benchmarks.veth import ADDRESSES, DEVICE, Pair, inside, veth_pair

RATES = "0,200000"  # packets a second; 0: all that the sender can
SECONDS = 6  # at a rate
SETTLE = 2.0  # seconds before packets come, and until what is in a ring was read
PATIENCE = 120.0  # seconds until a program is ready, or has ended
NOBODY = "nobody"
PAGE = os.sysconf("SC_PAGE_SIZE")


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


class Bulk(NamedTuple):
    """``cost``: seconds of CPU of both ends for each GB, with what the kernel does; ``receiver``: of who captures, a second."""

    gigabits: float
    cost: float
    receiver: float = 0.0


def bulk(receivers: list[Receiver], pair: Pair, job: "Job") -> dict[str, list[Bulk]]:
    found: dict[str, list[Bulk]] = defaultdict(list)
    server = inside(pair.receiving, ["iperf3", "-s", "-B", ADDRESSES[1]])
    with subprocess.Popen([str(word) for word in server], stdout=subprocess.DEVNULL) as serving:
        try:
            time.sleep(SETTLE)
            for number in range(job.bulk_rounds):
                say(f"bulk TCP: round {number + 1} of {job.bulk_rounds}")
                found[NOBODY].append(transfer(pair, job.seconds))
                for receiver in receivers:
                    found[receiver.name].append(beside(receiver, pair, job.seconds))
                    say(f"{receiver.name}: {found[receiver.name][-1]}")
        finally:
            serving.terminate()
    return found


def beside(receiver: Receiver, pair: Pair, seconds: int) -> Bulk:
    with tempfile.TemporaryDirectory() as name, running(receiver, pair.receiving, Path(name)) as one:
        before = one.used()
        return transfer(pair, seconds)._replace(receiver=(one.used() - before) / seconds)


def transfer(pair: Pair, seconds: int) -> Bulk:
    told = json.loads(said_by(inside(pair.sending, ["iperf3", "-c", ADDRESSES[1], "-t", seconds, "-J"])))["end"]
    received, busy = told["sum_received"], told["cpu_utilization_percent"]
    used = (busy["host_total"] + busy["remote_total"]) / 100 * received["seconds"]
    return Bulk(received["bits_per_second"] / 1e9, used / (received["bytes"] / 1e9))


class Job(NamedTuple):
    rates: list[int]
    rounds: int
    bulk_rounds: int
    seconds: int
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


def bulk_table(found: dict[str, list[Bulk]]) -> Iterator[str]:
    yield "| receiver | Gbit/s | / without | s of CPU of both ends a GB | / without | least and most | receiver, CPU |"
    yield "|---|---:|---:|---:|---:|---:|---:|"
    without = found[NOBODY]
    for name, those in found.items():
        pairs = list(zip(those, without, strict=True))
        dearer = [one.cost / alone.cost for one, alone in pairs]
        cells = [
            f"{median(one.gigabits for one in those):.2f}",
            f"{median(one.gigabits / alone.gigabits for one, alone in pairs):.3f}",
            f"{median(one.cost for one in those):.3f}",
            f"{median(dearer):.3f}",
            f"{min(dearer):.3f} to {max(dearer):.3f}",
            f"{median(one.receiver for one in those) * 100:.1f} %",
        ]
        yield "| " + " | ".join([name, *cells]) + " |"


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
    options.add_argument("--bulk-rounds", type=int, default=5)
    options.add_argument("--seconds", type=int, default=4, help="of each transfer")
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
    job = Job(rates, chosen.rounds, chosen.bulk_rounds, chosen.seconds, capture.packets // chosen.divide)
    receivers = [receiver for receiver in RECEIVERS if shutil.which(receiver.program)]
    print(machine.describe(), flush=True)
    with veth_pair() as pair:
        if job.rounds:
            print("\n".join(flood_table(flood(receivers, pair, capture.path, job))), flush=True)
        if job.bulk_rounds and shutil.which("iperf3"):
            print("\n".join(bulk_table(bulk(receivers, pair, job))), flush=True)
    print(f"Load at the end: {os.getloadavg()[0]:.1f}.")


if __name__ == "__main__":
    main()
