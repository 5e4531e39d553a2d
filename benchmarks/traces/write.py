"""Traces to files, or to a pipe where one is too large for the disk."""

import struct
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import BinaryIO

from benchmarks.traces import Expected, Trace, dns, flood, talk, tunnels
from benchmarks.traces.schedule import CHUNK

KINDS: dict[str, ModuleType] = {"talk": talk, "dns": dns, "tunnels": tunnels, "flood": flood}
ETHERNET_LINK = 1


def expected(trace: Trace) -> Expected:
    return KINDS[trace.kind].expected(trace)  # type: ignore[no-any-return]


def taken(trace: Trace, first: int | None) -> int:
    """Packets of a trace of which only the ``first`` are wanted: whole chunks."""
    return trace.packets if first is None else min(-(-first // CHUNK) * CHUNK, trace.packets)


def write(trace: Trace, folder: Path, first: int | None = None) -> Path:
    """Write the capture unless it is there."""
    path = (
        folder
        / f"{trace.name}-{trace.connections}-{trace.rate}-{trace.seed}-{taken(trace, first)}of{trace.packets}.pcap"
    )
    if not path.exists():
        part = path.with_suffix(".part")
        with part.open("wb") as file:
            stream(trace, file, first)
        part.rename(path)
    return path


def stream(trace: Trace, file: BinaryIO, first: int | None = None) -> None:
    kind = KINDS[trace.kind]
    file.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, kind.SNAPLEN, ETHERNET_LINK))
    for chunk in islice(kind.chunks(trace), -(-taken(trace, first) // CHUNK)):
        file.write(memoryview(chunk))
