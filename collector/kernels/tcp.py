"""What a TCP segment tells of its connection: what each end has done, handshake times, what is sent again (RFC 9293)."""

import numpy as np

from collector.kernels.hashing import ONE
from collector.kernels.jit import inline, kernel
from collector.kernels.layout import (
    ABORTED,
    ABORTED_AFTER_FIN,
    ACK,
    BY_SYN,
    ESTABLISHED,
    FIN,
    FINISHED,
    NOTHING,
    PARTIAL,
    RST,
    SYN,
    SYN_ACK_SENT,
    SYN_SENT,
)

SEEN_SYN, SEEN_SYNACK, SEEN_DATA, SEEN_FIN, SEEN_ACK = 1, 2, 4, 8, 16


@inline
def is_aborted(flow):
    return flow.state[0] >= ABORTED or flow.state[1] >= ABORTED


@inline
def is_closed(flow):
    return is_aborted(flow) or (flow.state[0] == FINISHED and flow.state[1] == FINISHED)


@inline
def interval(since, until):
    """Microseconds as far as 32 bits go; times that run backwards tell none."""
    return max(min(until - since, 0x7FFFFFFF), -1)


@inline
def update_tcp(flow, packet):
    flags, side = packet.tcp_flags, packet.side
    if flags & (SYN | FIN | RST) or flow.state[0] != ESTABLISHED or flow.state[1] != ESTABLISHED:
        change_state(flow, packet)
    if flow.client_handshake < 0:
        time_handshake(flow, packet)
    seen = np.int64(flow.seen[side])
    packet.fresh = 0 if seen & SEEN_DATA else 1
    count_segment(flow, packet, seen)
    if packet.window == 0 and not flags & (RST | SYN):
        flow.zero_windows[side] += np.uint32(1)
    if packet.length > 0:
        seen |= SEEN_DATA
    if flags & SYN:
        seen |= SEEN_SYNACK if flags & ACK else SEEN_SYN
    elif flags & ACK and not flags & RST:
        seen |= SEEN_ACK
    if flags & FIN:
        seen |= SEEN_FIN
    flow.seen[side] = seen


@kernel
def change_state(flow, packet):
    """What the ends have done so far, as Zeek tells it; docs/connection-states.md says it in words."""
    side = packet.side
    mine, other = np.int64(flow.state[side]), np.int64(flow.state[ONE - side])
    flags = packet.tcp_flags
    if flags & SYN and (mine == NOTHING or mine == PARTIAL):
        mine, other = first_syn(mine, other, flags, flow.opener == side)
    elif mine == NOTHING and other == ESTABLISHED and flags & ACK:
        mine = np.int64(ESTABLISHED)
    elif mine == NOTHING and (other != SYN_SENT or packet.length > 0):
        mine = np.int64(PARTIAL)
    if mine < ABORTED and not (mine == FINISHED and other == FINISHED):
        if flags & RST:
            mine = np.int64(ABORTED_AFTER_FIN if mine == FINISHED else ABORTED)
        elif flags & FIN:
            mine = np.int64(FINISHED)
            if other == ABORTED_AFTER_FIN:
                other = np.int64(FINISHED)
    flow.state[side], flow.state[ONE - side] = mine, other


@inline
def first_syn(mine, other, flags, is_opener):
    """A SYN from an end that had sent none: it asks, or it answers the other's and the connection stands."""
    if is_opener:
        return np.int64(SYN_ACK_SENT if flags & ACK else SYN_SENT), other
    return np.int64(ESTABLISHED), np.int64(ESTABLISHED if other == SYN_SENT else other)


@inline
def time_handshake(flow, packet):
    """From SYN to SYN-ACK, and from there to the opener's ACK; ``handshake_time`` is that of the one at hand."""
    flags = packet.tcp_flags
    mine, other = np.int64(flow.seen[packet.side]), np.int64(flow.seen[ONE - packet.side])
    from_opener = flow.opener == packet.side
    if flags & RST:
        return
    if flags & SYN and not flags & ACK:
        if (mine | other) & (SEEN_SYN | SEEN_SYNACK) == 0:
            flow.handshake_time = packet.time
            flow.opener = packet.side
            flow.opened_by = BY_SYN
            flow.started = 1
    elif flags & SYN:
        if mine & SEEN_SYNACK == 0 and not from_opener:
            if other & SEEN_SYN:
                flow.server_handshake = interval(flow.handshake_time, packet.time)
            flow.handshake_time = packet.time
    elif other & SEEN_SYNACK and flow.handshake_time >= 0 and flags & ACK and from_opener:
        flow.client_handshake = interval(flow.handshake_time, packet.time)


@inline
def count_segment(flow, packet, seen):
    """Sequence space already sent is sent again (RFC 9293 §3.8); one octet before the edge is a keep-alive probe."""
    flags, side = packet.tcp_flags, packet.side
    expected = np.int64(flow.next[side])
    known = seen & (SEEN_SYN | SEEN_SYNACK | SEEN_DATA | SEEN_FIN) != 0
    packet.expected = expected if known else -1
    if flags & RST:
        return
    if flags & SYN:
        packet.expected = (packet.seq + 1) & 0xFFFFFFFF
    size = packet.length + (1 if flags & SYN else 0) + (1 if flags & FIN else 0)
    if size == 0:
        return
    end = (packet.seq + size) & 0xFFFFFFFF
    ahead = (end - expected) & 0xFFFFFFFF
    new_start = flags & SYN and seen & SEEN_DATA == 0 and ahead != 0  # the SYN before was not answered
    if known and not new_start and (ahead == 0 or ahead >= 0x80000000):
        answers = flags & SYN and flags & ACK and seen & SEEN_SYNACK == 0  # both opened at once: its SYN comes twice
        if not answers and (packet.length != 1 or packet.seq != ((expected - 1) & 0xFFFFFFFF)):
            flow.retransmits[side] += np.uint32(1)
        return
    flow.next[side] = np.uint32(end)
