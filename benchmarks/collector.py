"""From a capture file to flow and DNS Parquet files, beside the flow meters that are installed, and where the time goes.

Each round runs every program once on the same file, so that a slow minute of the machine falls on all; medians are printed. Slow
peers get the beginning of the file, once; `million` is there for the memory, and has one round.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks import machine, results
from benchmarks.measure import TIMEOUT, Run, run
from benchmarks.peers import PEERS, SLOW, SLOW_SECONDS, Peer, find, sink, version
from benchmarks.results import Row
from benchmarks.traces import DNS, FLOOD, MILLION, MIX, SHORT, TUNNELS, Trace

ROUNDS = 3
COMPARED = (MIX, SHORT, DNS, TUNNELS, FLOOD, MILLION)
STAGED = (MIX, SHORT, DNS)
WARM_UP = 100  # the same traffic, so many times less, to compile the kernels before anything is timed
WRITES = "flows and DNS (Parquet)"
RESULTS = Path(__file__).with_name("RESULTS.md")


class Capture(NamedTuple):
    path: Path
    packets: int
    connections: int
    transactions: int


class Job(NamedTuple):
    """``divide``: a try with so many times less traffic; ``small``: what kernels are compiled and loaded with."""

    folder: Path
    small: Path
    rounds: int
    divide: int
    peers: dict[Peer, str]


def prepare(trace: Trace, folder: Path, divide: int, first: int | None = None) -> Capture:
    """Made by a process of its own, so that this one stays small."""
    command: list[object] = [sys.executable, "-m", "benchmarks.traces", trace.name, "--folder", folder]
    command += ["--divide", divide] + ([] if first is None else ["--first", first])
    with tempfile.TemporaryDirectory() as output:
        told = json.loads(run(command, Path(output)).output)
    return Capture(Path(told.pop("path")), **told)


def tailrace(capture: Path, folder: Path) -> Run:
    return run([sys.executable, "-m", "benchmarks.subject", capture, folder], folder)


def peer_run(peer: Peer, program: str, capture: Path, folder: Path) -> Run:
    with sink() as port:
        return run(peer.build(program, capture, folder, port), folder, SLOW_SECONDS if peer.slow else TIMEOUT)


def compare(trace: Trace, job: Job) -> str:
    whole, head = (prepare(trace, job.folder, job.divide, first) for first in (None, SLOW))
    given = {peer: head if peer.slow else whole for peer in job.peers if peer.only in ("", trace.name)}
    ours, theirs = interleaved(trace.name, whole, given, job)
    told = [json.loads(one.output) for one in ours]
    steady = median(one["seconds"] for one in told)
    rows = [row("tailrace, whole process", whole, ours, WRITES)]
    rows.append(Row("tailrace, open to last byte", whole.packets, steady, None, "", WRITES))
    for peer, runs in theirs.items():
        rows.append(row(peer.name, given[peer], runs, peer.writes, given[peer].packets < whole.packets))
    title = f"{trace.name}: {whole.packets:,} packets, {whole.connections:,} connections, {whole.transactions:,} DNS queries"
    return results.comparison(title, rows, findings(whole, told[0]))


def interleaved(
    name: str, whole: Capture, given: dict[Peer, Capture], job: Job
) -> tuple[list[Run], dict[Peer, list[Run]]]:
    """Our runs, and those of each peer on what it is given."""
    ours: list[Run] = []
    theirs: dict[Peer, list[Run]] = {peer: [] for peer in given}
    rounds = 1 if name == MILLION.name else job.rounds
    for number in range(rounds):
        say(f"{name}: round {number + 1} of {rounds}")
        with tempfile.TemporaryDirectory() as folder:
            ours.append(tailrace(whole.path, Path(folder)))
        for peer, capture in given.items():
            if number and (peer.slow or theirs[peer][0].wall > SLOW_SECONDS):
                continue
            with tempfile.TemporaryDirectory() as folder:
                theirs[peer].append(peer_run(peer, job.peers[peer], capture.path, Path(folder)))
    return ours, theirs


def row(name: str, capture: Capture, runs: list[Run], writes: str, cut: bool = False) -> Row:
    wall, cpu = median(one.wall for one in runs), median(one.cpu for one in runs)
    peak, floor = max(one.peak for one in runs), max(one.floor for one in runs)
    size = ("≤ " if peak <= floor else "") + f"{peak / 1e6:.0f}"
    return Row(name, capture.packets, wall, cpu, size, writes, cut, any(one.stopped for one in runs))


def findings(expected: Capture, told: dict[str, int]) -> Iterator[str]:
    """Whether our records are those that the trace holds."""
    for table, wanted in (("flows", expected.connections), ("dns", expected.transactions)):
        got = told.get(table, 0)
        yield f"- {table}: {got:,} records, " + ("as expected" if got == wanted else f"**expected {wanted:,}**")
    yield f"- evicted: {told['evictions']:,}; discarded packets: {told['discarded']:,}"


def where_time_goes(trace: Trace, job: Job) -> str:
    say(f"{trace.name}: stages")
    capture = prepare(trace, job.folder, job.divide)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.stages", capture.path, job.small, "--rounds", job.rounds]
        prefixes = json.loads(run(command, Path(folder)).output)
    return results.stages(trace.name, capture.packets, {name: (wall, cpu) for name, (wall, cpu) in prefixes.items()})


def warm_up(folder: Path) -> Path:
    say("compiling the kernels")
    small = prepare(MIX, folder, WARM_UP).path
    with tempfile.TemporaryDirectory() as output:
        tailrace(small, Path(output))
        run([sys.executable, "-m", "benchmarks.stages", small, small, "--rounds", 1], Path(output))
    return small


def say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


def installed(chosen: str | None, cache: Path) -> tuple[dict[Peer, str], list[str]]:
    """The peers there are, and of those that are not a word."""
    names = chosen.split(",") if chosen and chosen != "all" else [peer.name for peer in PEERS]
    unknown = set(names) - {peer.name for peer in PEERS}
    if unknown:
        raise SystemExit(f"no such peer: {', '.join(sorted(unknown))}")
    found = {peer: find(peer, cache, install=chosen is not None) for peer in PEERS if peer.name in names}
    present = {peer: program for peer, program in found.items() if program}
    return present, [peer.name for peer in PEERS if peer not in present]


def preamble(job: Job, missing: list[str]) -> str:
    versions = ", ".join(f"{peer.name} {version(peer, program)}" for peer, program in job.peers.items())
    lines = [results.HEAD + machine.describe(), "", f"Peers: {versions or 'none'}. Median of {job.rounds} rounds."]
    if missing:
        lines.append(f"Not installed or not asked for: {', '.join(missing)}.")
    if job.divide > 1:
        lines.append(f"**A try: every trace is {job.divide} times smaller than it should be.**")
    return "\n".join([*lines, ""])


def arguments() -> argparse.Namespace:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cache = Path(tempfile.gettempdir()) / "tailrace-benchmarks"
    options.add_argument("--write", action="store_true", help="write RESULTS.md too")
    options.add_argument("--folder", type=Path, default=cache, help="where traces and nfstream are kept (%(default)s)")
    options.add_argument("--only", metavar="TRACE,...", help="only these traces")
    options.add_argument(
        "--peers", help="'all' or names; nfstream is installed where it is missing. Without it: those there are"
    )
    options.add_argument("--rounds", type=int, default=ROUNDS)
    options.add_argument("--divide", type=int, default=1, metavar="N", help="traces N times smaller, to try it out")
    return options.parse_args()


def main() -> None:
    chosen = arguments()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    names = chosen.only.split(",") if chosen.only else [trace.name for trace in COMPARED]
    peers, missing = installed(chosen.peers, chosen.folder)
    job = Job(chosen.folder, warm_up(chosen.folder), chosen.rounds, chosen.divide, peers)
    parts = [preamble(job, missing)]
    print(parts[0], flush=True)
    for report, traces in ((compare, COMPARED), (where_time_goes, STAGED)):
        for trace in traces:
            if trace.name in names:
                parts.append(report(trace, job))
                print(parts[-1], flush=True)
    if chosen.write:
        RESULTS.write_text("\n".join(parts))


if __name__ == "__main__":
    main()
