"""TCP and UDP inside VXLAN, Geneve, GRE and IP in IP between 64 nodes; a connection stays in its kind of tunnel."""

from collections.abc import Iterator

import numpy as np

from benchmarks.traces import Expected, Trace
from benchmarks.traces.frames import (
    ETHERNET,
    IPV4,
    TCP,
    TCP_NUMBER,
    UDP,
    UDP_NUMBER,
    directed,
    ethernet,
    ipv4,
    pcap_records,
    put,
    tcp,
    udp,
)
from benchmarks.traces.schedule import Packets, interleaved
from benchmarks.traces.talk import ends_of, flags_of

SNAPLEN = 192
MOST_OCTETS = 1300  # of payload
NODES = 64
VXLAN, GENEVE, GRE, IPIP = range(4)
VXLAN_PORT, GENEVE_PORT = 4789, 6081
GRE_NUMBER, IPIP_NUMBER = 47, 4
GENEVE_OPTION = 8
GENEVE_HEADER = 8 + GENEVE_OPTION
HEADER = {VXLAN: UDP + 8 + ETHERNET, GENEVE: UDP + GENEVE_HEADER + ETHERNET, GRE: 8, IPIP: 0}  # between the IP headers


def expected(trace: Trace) -> Expected:
    return Expected(trace.connections, 0)


def chunks(trace: Trace) -> Iterator[np.ndarray]:
    for packets in interleaved(trace, MOST_OCTETS):
        yield _records(packets)


def _records(packets: Packets) -> np.ndarray:
    size = packets.whose.size
    rows, wire = np.zeros((size, SNAPLEN), np.uint8), np.empty(size, np.int64)
    kinds, of_udp = packets.whose % 4, packets.whose // 4 % 5 == 0
    for kind in HEADER:
        for over_udp in (False, True):
            chosen = (kinds == kind) & (of_udp == over_udp)
            if chosen.any():
                rows[chosen], wire[chosen] = _frames(packets.where(chosen), kind, over_udp)
    return pcap_records(rows, wire, packets.nanoseconds)


def _frames(packets: Packets, kind: int, over_udp: bool) -> tuple[np.ndarray, np.ndarray]:
    payload = packets.payload
    rows = np.zeros((payload.size, SNAPLEN), np.uint8)
    inner = IPV4 + (UDP if over_udp else TCP) + payload
    total = IPV4 + HEADER[kind] + inner
    ethernet(rows, 0, 0x0800)
    _tunnel(rows, packets, kind, total)
    at = ETHERNET + IPV4 + HEADER[kind]
    whose = packets.whose
    ends, ports = ends_of(packets, 8080 + whose % 7)
    ipv4(rows, at, ends, UDP_NUMBER if over_udp else TCP_NUMBER, inner)
    if over_udp:
        udp(rows, at + IPV4, ports, payload)
    else:
        tcp(rows, at + IPV4, ports, packets.seq, packets.ack, flags_of(packets))
    return rows, ETHERNET + total


def _tunnel(rows: np.ndarray, packets: Packets, kind: int, total: np.ndarray) -> None:
    """The outer headers, up to the inner IP header."""
    whose, back = packets.whose, packets.back
    near = whose // 4 % NODES
    nodes = directed(back, 0x0A000100 + near, 0x0A000100 + (near + 1 + whose % (NODES - 1)) % NODES)
    number = {GRE: GRE_NUMBER, IPIP: IPIP_NUMBER}.get(kind, UDP_NUMBER)
    ipv4(rows, ETHERNET, nodes, number, total)
    at = ETHERNET + IPV4
    if kind == VXLAN:
        udp(rows, at, (49152 + whose % 16384, VXLAN_PORT), total - IPV4 - UDP)
        put(rows, at + UDP, 0x08000000, 4)
        put(rows, at + UDP + 4, (1 + whose % 100) << 8, 4)
        ethernet(rows, at + UDP + 8, 0x0800)
    elif kind == GENEVE:
        udp(rows, at, (49152 + whose % 16384, GENEVE_PORT), total - IPV4 - UDP)
        put(rows, at + UDP, (GENEVE_OPTION // 4) << 24 | 0x6558, 4)
        put(rows, at + UDP + 4, (1 + whose % 100) << 8, 4)
        put(rows, at + UDP + 8, 0x0102_80_01, 4)  # an option of four octets
        ethernet(rows, at + UDP + GENEVE_HEADER, 0x0800)
    elif kind == GRE:
        put(rows, at, 0x20000800, 4)  # with a key
        put(rows, at + 4, 1 + whose % 100, 4)
