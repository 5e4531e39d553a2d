"""A SYN flood from forged addresses, and in it legitimate connections to the same server, open over the whole trace.

No two SYNs come from the same address and port. A legitimate connection is a handshake, requests and responses, both FINs.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from benchmarks.traces import Expected, Trace
from benchmarks.traces.frames import (
    ACK,
    ETHERNET,
    FIN,
    IPV4,
    PSH,
    START,
    SYN,
    TCP,
    TCP_NUMBER,
    directed,
    ethernet,
    ipv4,
    pcap_records,
    tcp,
)
from benchmarks.traces.schedule import CHUNK

SNAPLEN = ETHERNET + IPV4 + TCP
SERVER, PORT = 0x0A600050, 443
CLIENT = 0x0AC80000  # 10.200.0.0: no forged address is one of 10.0.0.0/8
EXCHANGES = 16
MOST_SECONDS = 240.0  # a connection ends before an active timeout would cut its record in two

FROM_SERVER = np.array([0, 1, 0] + [0, 1] * EXCHANGES + [0, 1, 0], bool)
FLAGS = np.array([SYN, SYN | ACK, ACK] + [PSH | ACK] * (2 * EXCHANGES) + [FIN | ACK, FIN | ACK, ACK])
STEPS = FLAGS.size
DATA = FLAGS == PSH | ACK
HANDSHAKE_SECONDS = 0.0003

FORGED_BITS = 28 + 15  # an address of 16.0.0.0/4 and a port above 32767
MASK = np.uint64((1 << FORGED_BITS) - 1)


class Legitimate(NamedTuple):
    """One row a connection; ``slot`` and ``payload`` have a column for each of its packets."""

    address: np.ndarray
    port: np.ndarray
    payload: np.ndarray
    sequence: np.ndarray
    slot: np.ndarray  # the place of the packet in the trace

    def packets(self, from_server: bool) -> int:
        return int((from_server == FROM_SERVER).sum())

    def octets(self, from_server: bool) -> np.ndarray:
        """IP bytes that an end sent."""
        return (IPV4 + TCP + self.payload)[:, from_server == FROM_SERVER].sum(axis=1)


def expected(trace: Trace) -> Expected:
    return Expected(trace.packets - trace.connections * (STEPS - 1), 0)


def legitimate(trace: Trace) -> Legitimate:
    random = np.random.default_rng(trace.seed)
    number = np.arange(trace.connections)
    payload = np.where(DATA, random.integers(100, 1200, (number.size, STEPS)), 0)
    taken = payload + (FLAGS & (SYN | FIN) != 0)
    sequence = random.integers(0, 1 << 31, (number.size, 2))[:, FROM_SERVER.astype(int)]
    for end in (False, True):
        sent = np.where(end == FROM_SERVER, taken, 0)
        sequence += np.where(end == FROM_SERVER, np.cumsum(sent, axis=1) - sent, 0)
    return Legitimate(CLIENT + number, 40_000 + number % 20_000, payload, sequence, _slots(trace, random))


def _slots(trace: Trace, random: np.random.Generator) -> np.ndarray:
    """Handshake and farewell take a moment, the exchanges a good part of the trace; no two packets share a slot."""
    seconds = trace.packets / trace.rate
    lasts = random.uniform(0.1, 0.8, trace.connections) * min(seconds, MOST_SECONDS / 0.8)
    opens = random.uniform(0, 0.95 * (seconds - lasts))
    steps = np.where(DATA, 0.0, HANDSHAKE_SECONDS) + np.where(DATA, 1.0, 0.0) * (lasts / DATA.sum())[:, None]
    wanted = ((opens[:, None] + np.cumsum(steps, axis=1)) * trace.rate).astype(np.int64).ravel()
    order = np.argsort(wanted, kind="stable")
    place = np.arange(wanted.size)
    slots = np.empty(wanted.size, np.int64)
    slots[order] = np.maximum.accumulate(wanted[order] - place) + place
    return slots.reshape(trace.connections, STEPS)


def chunks(trace: Trace) -> Iterator[np.ndarray]:
    known = legitimate(trace)
    order = np.argsort(known.slot, axis=None)
    slots = known.slot.ravel()[order]
    for start in range(0, trace.packets, CHUNK):
        stop = min(start + CHUNK, trace.packets)
        part = slice(*np.searchsorted(slots, (start, stop)))
        yield _records(trace, known, np.arange(start, stop), order[part])


def _records(trace: Trace, known: Legitimate, slots: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """The SYN of each slot, but for the cells of the legitimate connections whose slots these are."""
    rows = np.zeros((slots.size, SNAPLEN), np.uint8)
    wire = np.full(slots.size, SNAPLEN)
    address, port = _forged(slots, trace.seed)
    _segments(
        rows,
        (address, np.full(slots.size, SERVER)),
        (port, np.full(slots.size, PORT)),
        slots * 7919,
        np.full(slots.size, SYN),
    )
    connection, step = np.divmod(cells, STEPS)
    back, payload = FROM_SERVER[step], known.payload[connection, step]
    place = known.slot[connection, step] - slots[0]
    held = np.zeros((cells.size, SNAPLEN), np.uint8)
    ends = directed(back, known.address[connection], np.full(cells.size, SERVER))
    ports = directed(back, known.port[connection], np.full(cells.size, PORT))
    _segments(held, ends, ports, known.sequence[connection, step], FLAGS[step], payload)
    rows[place], wire[place] = held, SNAPLEN + payload
    return pcap_records(rows, wire, START + slots * (10**9 // trace.rate))


def _forged(slots: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Each step can be undone, so that different slots give different (address, port)."""
    word = (slots.astype(np.uint64) + np.uint64(seed)) & MASK
    for factor in (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F):
        word = word * np.uint64(factor) & MASK
        word ^= word >> np.uint64(FORGED_BITS // 2 + 1)
    return (0x10000000 + (word >> np.uint64(15)).astype(np.int64)), 32768 + (word & np.uint64(0x7FFF)).astype(np.int64)


def _segments(
    rows: np.ndarray,
    ends: tuple[np.ndarray, np.ndarray],
    ports: tuple[np.ndarray, np.ndarray],
    sequence: np.ndarray,
    flags: np.ndarray,
    payload: np.ndarray | int = 0,
) -> None:
    ethernet(rows, 0, 0x0800)
    ipv4(rows, ETHERNET, ends, TCP_NUMBER, IPV4 + TCP + payload)
    tcp(rows, ETHERNET + IPV4, ports, sequence & 0xFFFFFFFF, 0, flags)
