"""Captures built in memory, and what the collector makes of them."""

import struct
from collections.abc import Iterable, Sequence
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
from scapy.layers.l2 import Ether

from collector.driver import DNS_PORTS, Settings, collect
from collector.kernels.state import Bounds
from collector.sources.capture import CaptureFile, open_capture
from contract.coverage import COVERAGE
from contract.dns import DNS
from contract.errors import InputError
from contract.flows import FLOWS

START = 1_700_000_000  # seconds; where a test does not say, its first packet
ETHERNET = 1
SECOND = 1_000_000
BOUNDS = Bounds(1 << 12, 1 << 10)  # where a test does not say
SETTINGS = Settings(1, bounds=BOUNDS)

Timed = tuple[float, bytes]  # seconds since START, frame
NOBODY = BufferedReader(BytesIO())  # type: ignore[arg-type]


class Collected(NamedTuple):
    flows: pa.Table
    dns: pa.Table
    coverage: pa.Table
    fault: InputError | None


def ether(**fields: int) -> Ether:
    """An Ethernet header; without addresses scapy would ask the network for them."""
    return Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02", **fields)


def timed(frames: Iterable[object], step: float = 0.001) -> list[Timed]:
    """Frames (scapy packets or bytes) one after the other, ``step`` seconds apart."""
    return [(place * step, bytes(frame)) for place, frame in enumerate(frames)]  # type: ignore[call-overload]


def pcap(frames: Iterable[Timed], link: int = ETHERNET, order: str = "<", nanoseconds: bool = False) -> bytes:
    magic, unit = (0xA1B23C4D, 1_000_000_000) if nanoseconds else (0xA1B2C3D4, 1_000_000)
    parts = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 262144, link)]
    for at, frame in frames:
        ticks = round(at * unit)
        head = struct.pack(order + "IIII", START + ticks // unit, ticks % unit, len(frame), len(frame))
        parts += [head, frame]
    return b"".join(parts)


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    body += bytes(-len(body) % 4)
    size = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + size + body + size


def section(order: str = "<") -> bytes:
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def option(code: int, value: bytes, order: str = "<") -> bytes:
    return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


def interface(link: int = ETHERNET, options: bytes = b"", snaplen: int = 0, order: str = "<") -> bytes:
    return block(1, struct.pack(order + "HHI", link, 0, snaplen) + options, order)


def enhanced(frame: bytes, ticks: int, number: int = 0, order: str = "<") -> bytes:
    head = struct.pack(order + "IIIII", number, ticks >> 32, ticks & 0xFFFFFFFF, len(frame), len(frame))
    return block(6, head + frame + bytes(-len(frame) % 4), order)


def simple(frame: bytes, order: str = "<") -> bytes:
    return block(3, struct.pack(order + "I", len(frame)) + frame, order)


def pcapng(frames: Iterable[Timed], link: int = ETHERNET, order: str = "<") -> bytes:
    blocks = [enhanced(frame, START * SECOND + round(at * SECOND), 0, order) for at, frame in frames]
    return section(order) + interface(link, order=order) + b"".join(blocks)


def from_bytes(data: bytes, bounds: Bounds | None = None, seed: int = 1) -> Collected:
    """What the collector makes of a capture."""
    return drain(CaptureFile("test", pa.BufferReader(data), data[:4]), Settings(seed, bounds=bounds or BOUNDS))


def from_path(path: Path, bounds: Bounds | None = None, dns_ports: tuple[int, ...] = DNS_PORTS) -> Collected:
    with open_capture(str(path), NOBODY) as capture:
        return drain(capture, Settings(1, bounds=bounds or BOUNDS, dns_ports=dns_ports))


def drain(capture: CaptureFile, settings: Settings = SETTINGS) -> Collected:
    batches: dict[str, list[pa.RecordBatch]] = {"flows": [], "dns": [], "coverage": []}
    for name, batch in collect(capture, settings):
        batch.validate(full=True)
        batches[name].append(batch)
    tables = {
        "flows": pa.Table.from_batches(batches["flows"], FLOWS.collected),
        "dns": pa.Table.from_batches(batches["dns"], DNS.collected),
        "coverage": pa.Table.from_batches(batches["coverage"], COVERAGE.schema),
    }
    FLOWS.validate(tables["flows"], FLOWS.collected)
    DNS.validate(tables["dns"], DNS.collected)
    COVERAGE.validate(tables["coverage"])
    return Collected(tables["flows"], tables["dns"], tables["coverage"], capture.fault)


def of(frames: Sequence[object], step: float = 0.001, link: int = ETHERNET, bounds: Bounds | None = None) -> Collected:
    """What the collector makes of frames, ``step`` seconds apart."""
    return from_bytes(pcap(timed(frames, step), link), bounds)


def at(frames: Iterable[tuple[float, object]], bounds: Bounds | None = None) -> Collected:
    """What the collector makes of (seconds, frame)."""
    return from_bytes(pcap([(when, bytes(frame)) for when, frame in frames]), bounds)  # type: ignore[call-overload]


def packets(seen: Collected) -> tuple[int, int]:
    """(packets the interfaces gave, packets in flows and in discard counts): equal, whatever came in."""
    given = sum(seen.coverage["packets"].to_pylist())
    counted = sum(seen.flows["src_packets"].to_pylist()) + sum(seen.flows["dst_packets"].to_pylist())
    return given, counted + sum(discarded(seen).values())


def discarded(seen: Collected) -> dict[str, int]:
    reasons: dict[str, int] = {}
    for row in seen.coverage["discarded"].to_pylist():
        for reason, count in row:
            reasons[reason] = reasons.get(reason, 0) + count
    return reasons


def rows(table: pa.Table) -> list[str]:
    """The rows as text in an order of their own, to compare tables whose batches were cut elsewhere."""
    return sorted(map(repr, table.to_pylist()))
