"""Generated captures: the same bytes for the same seed, a few million packets in seconds.

Packets of ``concurrent`` connections are interleaved; each is truncated to 128 bytes, as a collector's filter would. One in ten is
IPv6; one connection in twenty is a resolver's: queries and answers with real DNS messages.
"""

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

SNAPLEN = 128
CHUNK = 250_000
PACKETS_PER_SECOND = 100_000  # of packet time
START = 1_750_000_000
QUESTION = b"\x08w0000000\x04shop\x03svc\x07cluster\x05local\x00\x00\x01\x00\x01"
ANSWER = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x1e\x00\x04\x0a\x60\x00\x0a"


@dataclass(frozen=True)
class Trace:
    """``connections`` of equal mean length; the seed makes the order, the addresses and the sizes."""

    name: str
    packets: int
    connections: int
    concurrent: int
    seed: int = 20261122


MIX = Trace("mix", packets=4_000_000, connections=200_000, concurrent=20_000)
SHORT = Trace("short", packets=4_000_000, connections=800_000, concurrent=100_000)


def write(trace: Trace, folder: Path) -> Path:
    """Write the capture (pcap, ns) unless it is there."""
    path = folder / f"{trace.name}-{trace.packets}-{trace.connections}-{trace.seed}.pcap"
    if path.exists():
        return path
    random = np.random.default_rng(trace.seed)
    whose = _whose(trace, random)
    rank, last = _ranks(whose)
    with path.with_suffix(".part").open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, SNAPLEN, 1))
        for start in range(0, trace.packets, CHUNK):
            part = slice(start, min(start + CHUNK, trace.packets))
            file.write(_records(start, whose[part], rank[part], last[part], random).tobytes())
    return path.with_suffix(".part").rename(path)


def _whose(trace: Trace, random: np.random.Generator) -> np.ndarray:
    """The connection of each packet: one of those that are open at that time."""
    first = np.arange(trace.packets) * (trace.connections - trace.concurrent) // trace.packets
    return first + random.integers(0, trace.concurrent, trace.packets)


def _ranks(whose: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each packet's place in its connection, and whether it is the last."""
    order = np.argsort(whose, kind="stable")
    begins = np.flatnonzero(np.r_[True, np.diff(whose[order]) != 0])
    sizes = np.diff(np.r_[begins, whose.size])
    rank = np.empty(whose.size, np.int64)
    rank[order] = np.arange(whose.size) - np.repeat(begins, sizes)
    last = np.empty(whose.size, bool)
    last[order] = np.arange(whose.size) == np.repeat(begins + sizes - 1, sizes)
    return rank, last


def _records(
    start: int, whose: np.ndarray, rank: np.ndarray, last: np.ndarray, random: np.random.Generator
) -> np.ndarray:
    """pcap records of fixed size: 16 octets of header, 128 of frame."""
    size = whose.size
    rows = np.zeros((size, 16 + SNAPLEN), np.uint8)
    frame = rows[:, 16:]
    six, dns, back = whose % 10 == 0, whose % 20 == 1, rank % 2 == 1
    payload = np.where(dns, np.where(back, 65, 49), np.where(rank < 2, 0, random.integers(0, 1400, size)))
    header = np.where(six, 40, 20)
    total = header + np.where(dns, 8, 20) + payload
    nanoseconds = (start + np.arange(size)) * (10**9 // PACKETS_PER_SECOND)
    _put(rows, 0, START + nanoseconds // 10**9, 4, "<")
    _put(rows, 4, nanoseconds % 10**9, 4, "<")
    _put(rows, 8, np.minimum(14 + total, SNAPLEN), 4, "<")
    _put(rows, 12, 14 + total, 4, "<")
    _put(frame, 12, np.where(six, 0x86DD, 0x0800), 2)
    _ip(frame, six, dns, back, whose, total)
    ports = [np.where(dns, 53, 8080 + whose % 7), 32768 + whose % 28000]
    for which, at, protocol in ((~six & ~dns, 34, 6), (six & ~dns, 54, 6), (~six & dns, 34, 17), (six & dns, 54, 17)):
        rest = frame[which]
        _put(rest, at, np.where(back, ports[0], ports[1])[which], 2)
        _put(rest, at + 2, np.where(back, ports[1], ports[0])[which], 2)
        fill = _tcp if protocol == 6 else _dns
        fill(rest, at, rank[which], last[which], payload[which], whose[which])
        frame[which] = rest
    lengths = np.minimum(14 + total, SNAPLEN)
    keep = np.arange(16 + SNAPLEN) < (16 + lengths)[:, None]
    return rows[keep]


def _ip(
    frame: np.ndarray, six: np.ndarray, dns: np.ndarray, back: np.ndarray, whose: np.ndarray, total: np.ndarray
) -> None:
    protocol = np.where(dns, 17, 6)
    client, server = 0x0AF40000 + whose % 60_000, 0x0AF50000 + whose % 977
    src, dst = np.where(back, server, client), np.where(back, client, server)
    four = frame[~six]
    four[:, 14], four[:, 22] = 0x45, 64
    _put(four, 16, total[~six], 2)
    four[:, 23] = protocol[~six]
    _put(four, 26, src[~six], 4)
    _put(four, 30, dst[~six], 4)
    frame[~six] = four
    long = frame[six]
    long[:, 14], long[:, 21] = 0x60, 64
    _put(long, 18, total[six] - 40, 2)
    long[:, 20] = protocol[six]
    for at, address in ((22, src), (38, dst)):
        _put(long, at, np.full(len(long), 0xFD00), 2)
        _put(long, at + 12, address[six], 4)
    frame[six] = long


def _tcp(rest: np.ndarray, at: int, rank: np.ndarray, last: np.ndarray, payload: np.ndarray, whose: np.ndarray) -> None:
    flags = np.where(rank == 0, 0x02, np.where(rank == 1, 0x12, np.where(last, 0x11, 0x18)))
    _put(rest, at + 4, whose * 7919 + rank * 1460, 4)
    rest[:, at + 12], rest[:, at + 13] = 0x50, flags
    _put(rest, at + 14, np.full(len(rest), 64240), 2)


def _dns(rest: np.ndarray, at: int, rank: np.ndarray, last: np.ndarray, payload: np.ndarray, whose: np.ndarray) -> None:
    back = rank % 2 == 1
    _put(rest, at + 4, payload + 8, 2)
    message = at + 8
    _put(rest, message, rank // 2, 2)
    _put(rest, message + 2, np.where(back, 0x8180, 0x0100), 2)
    _put(rest, message + 4, np.full(len(rest), 1), 2)
    _put(rest, message + 6, back.astype(np.int64), 2)
    question = np.frombuffer(QUESTION, np.uint8)
    rest[:, message + 12 : message + 12 + question.size] = question
    for digit in range(7):
        rest[:, message + 14 + digit] = 48 + whose // 10 ** (6 - digit) % 10
    answer = np.frombuffer(ANSWER, np.uint8)
    place = message + 12 + question.size
    room = min(answer.size, SNAPLEN - place)
    rest[:, place : place + room] = np.where(back[:, None], answer[:room], 0)


def _put(rows: np.ndarray, at: int, values: np.ndarray, size: int, order: str = ">") -> None:
    raw = values.astype(np.dtype(f"u{size}").newbyteorder(order)).view(np.uint8).reshape(-1, size)
    rows[:, at : at + size] = raw
