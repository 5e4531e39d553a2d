"""Ten minutes of a SYN flood through the collector, with 1,000 legitimate connections in it: are they right, and is memory flat?

The trace goes through a pipe, 100,000 forged SYNs a second of packet time; only the Parquet is on disk. Ends with 1 where something
is wrong.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from ipaddress import IPv4Address
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from benchmarks.measure import ROOT
from benchmarks.traces import LONG_FLOOD, scaled
from benchmarks.traces.flood import Legitimate, legitimate

SAMPLE_SECONDS = 0.25
GROWTH = 1.05  # flat: the last fifth of the run holds no more than this times the middle one
LEGITIMATE = "10.200."
COLUMNS = ["src_packets", "dst_packets", "src_bytes", "dst_bytes", "connection_state", "end_reason", "started"]
End = tuple[str, int]


class Flooded(NamedTuple):
    """``resident``: bytes, sampled over the run; ``told``: what the collector printed."""

    seconds: float
    peak: int
    resident: list[int]
    told: dict[str, int]


def flood(divide: int, folder: Path) -> Flooded:
    generate = [sys.executable, "-m", "benchmarks.traces", LONG_FLOOD.name, "--divide", str(divide)]
    collect = [sys.executable, "-m", "benchmarks.subject", "-", str(folder)]
    start = time.perf_counter()
    with (
        (folder / "told").open("wb") as told,
        subprocess.Popen(generate, cwd=ROOT, stdout=subprocess.PIPE) as source,
        subprocess.Popen(collect, cwd=ROOT, stdin=source.stdout, stdout=told) as subject,
    ):
        assert source.stdout is not None
        source.stdout.close()  # so that the generator ends should the collector
        resident, peak = watch(subject)
    if source.returncode or subject.returncode:
        raise SystemExit(f"the generator ended with {source.returncode}, the collector with {subject.returncode}")
    return Flooded(time.perf_counter() - start, peak, resident, json.loads((folder / "told").read_text()))


def watch(process: "subprocess.Popen[bytes]") -> tuple[list[int], int]:
    """Resident bytes until the process ends, and the most there ever were."""
    resident: list[int] = []
    page = os.sysconf("SC_PAGE_SIZE")
    while True:
        resident.append(int(Path(f"/proc/{process.pid}/statm").read_text().split()[1]) * page)
        ended, status, usage = os.wait4(process.pid, os.WNOHANG)
        if ended:
            process.returncode = os.waitstatus_to_exitcode(status)
            return resident, usage.ru_maxrss * 1024
        time.sleep(SAMPLE_SECONDS)


def legitimate_flows(folder: Path) -> pa.Table:
    """Every record with a legitimate client at either end."""
    either = pc.starts_with(ds.field("src_ip"), LEGITIMATE) | pc.starts_with(ds.field("dst_ip"), LEGITIMATE)
    flows = ds.dataset(folder / "flows")
    return flows.to_table(columns=["src_ip", "src_port", *COLUMNS], filter=either)


def wrong(flows: pa.Table, known: Legitimate) -> list[str]:
    """A line for each legitimate connection that is not exactly one right record."""
    found: dict[End, list[tuple[object, ...]]] = defaultdict(list)
    for row in flows.to_pylist():
        found[row["src_ip"], row["src_port"]].append(tuple(row[name] for name in COLUMNS))
    wanted = expected_records(known)
    strange = [f"{end}: not a legitimate client" for end in found.keys() - wanted.keys()]
    return strange + [
        f"{end}: expected {record}, got {found.get(end, 'no record')}"
        for end, record in wanted.items()
        if found.get(end) != [record]
    ]


def expected_records(known: Legitimate) -> dict[End, tuple[object, ...]]:
    packets = known.packets(from_server=False), known.packets(from_server=True)
    octets = zip(known.octets(from_server=False).tolist(), known.octets(from_server=True).tolist(), strict=True)
    ends = zip(known.address.tolist(), known.port.tolist(), strict=True)
    return {
        (str(IPv4Address(address)), port): (*packets, *sent, "SF", "closed", True)
        for (address, port), sent in zip(ends, octets, strict=True)
    }


def is_flat(resident: list[int]) -> bool:
    _, _, middle, _, late = fifths(resident)
    return late <= middle * GROWTH


def fifths(resident: list[int]) -> list[float]:
    """The median of each fifth of the run."""
    step = max(len(resident) // 5, 1)
    return [statistics.median(resident[place * step : (place + 1) * step] or resident[-1:]) for place in range(5)]


def report(seen: Flooded, problems: list[str], connections: int) -> str:
    packets, megabytes = seen.told["packets"], [f"{octets / 1e6:.0f}" for octets in fifths(seen.resident)]
    lines = [
        f"{packets:,} packets in {seen.seconds:.0f} s ({packets / seen.seconds / 1e6:.2f} M packets/s, generator included)",
        f"{seen.told['flows']:,} flow records, {seen.told['evictions']:,} evicted, {seen.told['discarded']:,} packets discarded",
        f"legitimate connections: {connections - len(problems):,} of {connections:,} right",
        *problems[:10],
        f"peak {seen.peak / 1e6:.0f} MB; median MB of each fifth of the run: {', '.join(megabytes)}",
        "memory is flat" if is_flat(seen.resident) else "memory GREW",
    ]
    return "\n".join(lines)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--divide", type=int, default=1, metavar="N", help="a flood N times shorter, to try it out")
    chosen = options.parse_args()
    trace = scaled(LONG_FLOOD, chosen.divide)
    with tempfile.TemporaryDirectory() as folder:
        seen = flood(chosen.divide, Path(folder))
        problems = wrong(legitimate_flows(Path(folder)), legitimate(trace))
    print(report(seen, problems, trace.connections))
    raise SystemExit(1 if problems or not is_flat(seen.resident) else 0)


if __name__ == "__main__":
    main()
