"""What a TCP segment tells of its connection: handshake times, what is sent again, whether it is over (RFC 9293)."""

import numpy as np

from collector.kernels.jit import inline
from collector.kernels.layout import ACK, FIN, RST, SYN

SEEN_SYN, SEEN_SYNACK, SEEN_FIN, SEEN_RST, SEEN_DATA = 1, 2, 4, 8, 16


@inline
def is_closed(flow):
    both = flow.a_seen & flow.b_seen & SEEN_FIN
    return both != 0 or ((flow.a_seen | flow.b_seen) & SEEN_RST) != 0


@inline
def seen_of(packet):
    flags = packet.tcp_flags
    seen = 0
    if flags & SYN:
        seen = SEEN_SYNACK if flags & ACK else SEEN_SYN
    if flags & FIN:
        seen |= SEEN_FIN
    if flags & RST:
        seen |= SEEN_RST
    if packet.length > 0:
        seen |= SEEN_DATA
    return seen


@inline
def interval(since, until):
    """Microseconds as far as 32 bits go; times that run backwards tell none."""
    return max(min(until - since, 0x7FFFFFFF), -1)


@inline
def update_tcp(flow, packet, from_a):
    flags = packet.tcp_flags
    if flags & SYN:
        if flags & ACK:
            if flow.synack_time < 0:
                flow.synack_time = packet.time
                if flow.syn_time >= 0:
                    flow.server_handshake = interval(flow.syn_time, packet.time)
        elif flow.syn_time < 0:
            flow.syn_time = packet.time
            flow.opener = 0 if from_a else 1
            flow.started = 1
    elif flow.synack_time >= 0 and flow.client_handshake < 0 and flags & ACK and flow.opener == (0 if from_a else 1):
        flow.client_handshake = interval(flow.synack_time, packet.time)
    count_segment(flow, packet, from_a)
    if packet.window == 0 and not flags & (RST | SYN):
        if from_a:
            flow.a_zero_windows += 1
        else:
            flow.b_zero_windows += 1
    if from_a:
        flow.a_seen |= seen_of(packet)
    else:
        flow.b_seen |= seen_of(packet)


@inline
def count_segment(flow, packet, from_a):
    """Sequence space already sent is sent again (RFC 9293 §3.8); one octet before the edge is a keep-alive probe."""
    flags = packet.tcp_flags
    if flags & RST:
        return
    size = packet.length + (1 if flags & SYN else 0) + (1 if flags & FIN else 0)
    if size == 0:
        return
    expected = np.int64(flow.a_next if from_a else flow.b_next)
    end = (packet.seq + size) & 0xFFFFFFFF
    known = ((flow.a_seen if from_a else flow.b_seen) & (SEEN_SYN | SEEN_SYNACK | SEEN_DATA | SEEN_FIN)) != 0
    ahead = (end - expected) & 0xFFFFFFFF
    if known and (ahead == 0 or ahead >= 0x80000000):
        if packet.length != 1 or packet.seq != ((expected - 1) & 0xFFFFFFFF):
            if from_a:
                flow.a_retransmits += 1
            else:
                flow.b_retransmits += 1
        return
    if from_a:
        flow.a_next = np.uint32(end)
    else:
        flow.b_next = np.uint32(end)
