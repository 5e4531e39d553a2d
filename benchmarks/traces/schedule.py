"""Which packet belongs to which connection: many connections open at a time, their packets interleaved."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from benchmarks.traces import Trace
from benchmarks.traces.frames import START

CHUNK = 250_000  # packets made at a time


class Packets(NamedTuple):
    """``rank``: the packet's place in its connection, the even ones from the client; ``last``: it is the last one of its end."""

    whose: np.ndarray
    rank: np.ndarray
    last: np.ndarray
    nanoseconds: np.ndarray
    payload: np.ndarray  # octets
    seq: np.ndarray  # as TCP numbers them
    ack: np.ndarray

    @property
    def back(self) -> np.ndarray:
        return self.rank % 2 == 1

    def where(self, chosen: np.ndarray | slice) -> "Packets":
        return Packets(*(column[chosen] for column in self))


def sizes(trace: Trace) -> np.ndarray:
    """Packets of each connection, at least one."""
    random = np.random.default_rng(trace.seed)
    equal = np.full(trace.connections, 1 / trace.connections)
    return 1 + random.multinomial(trace.packets - trace.connections, equal)


def interleaved(trace: Trace, most: int) -> Iterator[Packets]:
    """Connections open one after the other, so that about ``concurrent`` of them are open at a time; ``most`` octets a packet."""
    random = np.random.default_rng(trace.seed + 1)
    whose = np.repeat(np.arange(trace.connections), sizes(trace))
    opens = whose * ((trace.connections - trace.concurrent) / trace.connections)
    whose = whose[np.argsort(opens + random.uniform(0, trace.concurrent, trace.packets))]
    order = np.argsort(whose, kind="stable")
    begins = np.flatnonzero(np.r_[True, np.diff(whose[order]) != 0])
    lengths = np.diff(np.r_[begins, whose.size])
    rank, last = np.empty(whose.size, np.int64), np.zeros(whose.size, bool)
    rank[order] = np.arange(whose.size) - np.repeat(begins, lengths)
    last[order[begins + lengths - 1]] = True
    last[order[begins + np.maximum(lengths - 2, 0)]] = True
    payload = np.where(rank < 2, 0, random.integers(0, most, whose.size))
    sent = _sent(rank % 2 == 1, payload + ((rank < 2) | last), order, np.repeat(begins, lengths))
    nanoseconds = START + np.arange(trace.packets) * (10**9 // trace.rate)
    everything = Packets(whose, rank, last, nanoseconds, payload, *_numbers(whose, rank, sent))
    for start in range(0, trace.packets, CHUNK):
        yield everything.where(slice(start, start + CHUNK))


def _sent(back: np.ndarray, taken: np.ndarray, order: np.ndarray, begins: np.ndarray) -> np.ndarray:
    """What client and server had sent before each packet, in sequence numbers: a row each."""
    sent = np.empty((2, back.size), np.int64)
    for end in (False, True):
        own = np.where(back == end, taken, 0)[order]
        before = np.cumsum(own) - own
        sent[int(end), order] = before - before[begins]
    return sent


def _numbers(whose: np.ndarray, rank: np.ndarray, sent: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    numbers = (sent + whose * 7919 + np.array([[0], [1 << 30]])) & 0xFFFFFFFF
    back = rank % 2 == 1
    return np.where(back, numbers[1], numbers[0]), np.where(rank == 0, 0, np.where(back, numbers[0], numbers[1]))
