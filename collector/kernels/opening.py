"""Who opened a connection, as far as its first packet tells, and how sure that is (docs/connection-states.md)."""

import numpy as np

from collector.kernels.hashing import ONE, fold
from collector.kernels.jit import inline
from collector.kernels.layout import (
    ACK,
    BY_FIRST,
    BY_LISTENER,
    BY_PORT,
    BY_SYN,
    BY_SYN_ACK,
    ICMP,
    ICMPV6,
    MAX_LISTENERS,
    SYN,
    TCP,
    UDP,
)

LOW, EPHEMERAL = 1024, 32768  # ports of servers (RFC 6335 §6), and where Linux takes a client's from


@inline
def orient(table, flow, packet):
    """Who opened it, as far as its first packet tells, and how that is known."""
    by, from_src, started = BY_FIRST, True, 1
    if packet.protocol == TCP:
        by, from_src = orient_tcp(table, packet)
        started = 1 if packet.tcp_flags & SYN else 0
    elif packet.protocol == UDP:
        if is_server_port(packet.src_port, packet.dst_port):
            by, from_src, started = BY_PORT, False, 0
        elif is_server_port(packet.dst_port, packet.src_port):
            by = BY_PORT
    elif packet.protocol == ICMP or packet.protocol == ICMPV6:
        from_src = packet.icmp_type != (0 if packet.protocol == ICMP else 129)
        started = 1 if from_src else 0
    flow.opener = packet.side if from_src else ONE - packet.side
    flow.opened_by = by
    flow.started = started


@inline
def orient_tcp(table, packet):
    """The sender of a SYN; else who is not known to listen, whose port is no server's, who speaks first."""
    if packet.tcp_flags & SYN:
        return (BY_SYN_ACK, False) if packet.tcp_flags & ACK else (BY_SYN, True)
    if is_listener(table, packet.dst_high, packet.dst_low, packet.dst_port):
        return BY_LISTENER, True
    if is_listener(table, packet.src_high, packet.src_low, packet.src_port):
        return BY_LISTENER, False
    src, dst = port_rank(packet.src_port), port_rank(packet.dst_port)
    return (BY_FIRST, True) if src == dst else (BY_PORT, src > dst)


@inline
def is_server_port(port, other):
    return port < LOW and other >= LOW


@inline
def port_rank(port):
    return 0 if port < LOW else 1 if port < EPHEMERAL else 2


@inline
def listener_word(table, high, low, port):
    control = table.control[0]
    word = fold(low ^ control.seed, np.uint64(port) ^ control.salt)
    return fold(high ^ word, control.salt) | ONE


@inline
def is_listener(table, high, low, port):
    word = listener_word(table, high, low, port)
    return table.listeners[(word >> ONE) & np.uint64(MAX_LISTENERS - 1)] == word


@inline
def note_listener(table, packet):
    word = listener_word(table, packet.src_high, packet.src_low, packet.src_port)
    table.listeners[(word >> ONE) & np.uint64(MAX_LISTENERS - 1)] = word
