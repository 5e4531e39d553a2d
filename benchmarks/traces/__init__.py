"""Generated captures: the same bytes for the same seed, millions of packets in seconds.

This file only says which there are; it imports no NumPy, so that a program that starts others stays small.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple


@dataclass(frozen=True)
class Trace:
    """``rate``: packets a second of packet time. The seed makes order, addresses, names and sizes."""

    name: str
    kind: str  # the module that makes it
    packets: int
    connections: int
    concurrent: int = 0  # how many of them are open at a time
    rate: int = 100_000
    seed: int = 20261122


class Expected(NamedTuple):
    """What a flow meter must find."""

    connections: int
    transactions: int


MIX = Trace("mix", "talk", packets=4_000_000, connections=200_000, concurrent=20_000)
SHORT = Trace("short", "talk", packets=4_000_000, connections=800_000, concurrent=100_000)
DNS = Trace("dns", "dns", packets=4_000_000, connections=1_000)
TUNNELS = Trace("tunnels", "tunnels", packets=4_000_000, connections=200_000, concurrent=20_000)
FLOOD = Trace("syn-flood", "flood", packets=4_000_000, connections=1_000, rate=300_000)
MILLION = Trace("million", "talk", packets=3_000_000, connections=1_000_000, concurrent=1_000_000)
LONG_FLOOD = Trace("long-syn-flood", "flood", packets=60_000_000, connections=1_000)  # ten minutes

TRACES = {trace.name: trace for trace in (MIX, SHORT, DNS, TUNNELS, FLOOD, MILLION, LONG_FLOOD)}


def scaled(trace: Trace, divisor: int) -> Trace:
    """The same traffic, ``divisor`` times less of it."""
    return replace(
        trace,
        packets=trace.packets // divisor,
        connections=max(trace.connections // divisor, 1),
        concurrent=trace.concurrent // divisor,
    )
