"""TCP connections and resolvers: one connection in ten is over IPv6, one in twenty is a resolver's, with real DNS messages.

A TCP connection begins with SYN and SYN-ACK and ends with a FIN of either end.
"""

from collections.abc import Iterator

import numpy as np

from benchmarks.traces import Expected, Trace
from benchmarks.traces.frames import (
    ACK,
    ETHERNET,
    FIN,
    IPV4,
    IPV6,
    PSH,
    SYN,
    TCP,
    TCP_NUMBER,
    UDP,
    UDP_NUMBER,
    directed,
    ethernet,
    ipv4,
    ipv6,
    pcap_records,
    put,
    tcp,
    udp,
)
from benchmarks.traces.schedule import Packets, interleaved, sizes

Pair = tuple[np.ndarray, np.ndarray]

MOST_OCTETS = 1400  # of payload
SNAPLEN = 128  # as a collector's filter would cut
QUESTION = np.frombuffer(b"\x08w0000000\x04shop\x03svc\x07cluster\x05local\x00\x00\x01\x00\x01", np.uint8)
ANSWER = np.frombuffer(b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x1e\x00\x04\x0a\x60\x00\x0a", np.uint8)
QUERY_SIZE, RESPONSE_SIZE = 12 + QUESTION.size, 12 + QUESTION.size + ANSWER.size


def expected(trace: Trace) -> Expected:
    resolvers = _is_dns(np.arange(trace.connections), trace)
    return Expected(trace.connections, int(((sizes(trace)[resolvers] + 1) // 2).sum()))


def chunks(trace: Trace) -> Iterator[np.ndarray]:
    for packets in interleaved(trace, MOST_OCTETS):
        yield _records(packets, trace)


def _is_dns(whose: np.ndarray, trace: Trace) -> np.ndarray:
    """None where all connections are open all the time: answers would come after a resolver gave up."""
    return (whose % 20 == 1) & (trace.concurrent < trace.connections)


def _records(packets: Packets, trace: Trace) -> np.ndarray:
    size = packets.whose.size
    dns, six = _is_dns(packets.whose, trace), packets.whose // 20 % 10 == 0
    message = np.where(packets.back, RESPONSE_SIZE, QUERY_SIZE)
    packets = packets._replace(payload=np.where(dns, message, packets.payload))
    rows = np.zeros((size, SNAPLEN), np.uint8)
    wire = np.empty(size, np.int64)
    for over_six in (False, True):
        for of_dns in (False, True):
            chosen = (six == over_six) & (dns == of_dns)
            if chosen.any():
                rows[chosen], wire[chosen] = frames(packets.where(chosen), over_six, of_dns)
    return pcap_records(rows, wire, packets.nanoseconds)


def frames(packets: Packets, six: bool, dns: bool) -> tuple[np.ndarray, np.ndarray]:
    """Frames of one kind, and how long they were on the wire."""
    whose, payload = packets.whose, packets.payload
    rows = np.zeros((whose.size, SNAPLEN), np.uint8)
    header, transport = (IPV6 if six else IPV4), (UDP if dns else TCP)
    total = header + transport + payload
    ends, ports = ends_of(packets, np.full(whose.size, 53) if dns else 8080 + whose % 7)
    ethernet(rows, 0, 0x86DD if six else 0x0800)
    (ipv6 if six else ipv4)(rows, ETHERNET, ends, UDP_NUMBER if dns else TCP_NUMBER, total)
    at = ETHERNET + header
    if dns:
        udp(rows, at, ports, payload)
        _message(rows[:, at + UDP :], packets)
    else:
        tcp(rows, at, ports, packets.seq, packets.ack, flags_of(packets))
    return rows, ETHERNET + total


def ends_of(packets: Packets, server_port: np.ndarray) -> tuple[Pair, Pair]:
    """Addresses and ports, those of the sender first."""
    whose, back = packets.whose, packets.back
    ends = directed(back, 0x0AF40000 + whose % 60_000, 0x0AF50000 + whose % 977)
    return ends, directed(back, 32768 + whose % 28_000, server_port)


def flags_of(packets: Packets) -> np.ndarray:
    data = np.where(packets.last, FIN | ACK, PSH | ACK)
    return np.where(packets.rank == 0, SYN, np.where(packets.rank == 1, SYN | ACK, data))


def _message(rows: np.ndarray, packets: Packets) -> None:
    back = packets.back
    put(rows, 0, packets.rank // 2, 2)
    put(rows, 2, np.where(back, 0x8180, 0x0100), 2)
    put(rows, 4, 1, 2)
    put(rows, 6, back.astype(np.int64), 2)
    rows[:, 12:QUERY_SIZE] = QUESTION
    for digit in range(7):
        rows[:, 14 + digit] = 48 + packets.whose // 10 ** (6 - digit) % 10
    rows[back, QUERY_SIZE:RESPONSE_SIZE] = ANSWER
