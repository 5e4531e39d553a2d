"""The flow table: a slab of flow records, found by an index (``hashing``).

The two ends are ordered (A before B) so that both directions meet one record; ``opener`` says which end is src.
"""

import numpy as np

from collector.kernels.hashing import ONE, POSITION, THIRTY_TWO, fold, hash_ends, insert_index, remove_index
from collector.kernels.jit import inline, kernel, prefetch
from collector.kernels.layout import (
    A_PORT_BIT,
    ACK,
    ACTIVE,
    B_PORT_BIT,
    CLOSED,
    ESP,
    ESTABLISHED,
    EVICTED,
    FINISHED,
    IDLE,
    IPSEC,
    MAX_TUNNELS,
    NO_APPLICATION,
    NOTHING,
    OPEN,
    PROTOCOL_BIT,
    RESET,
    SHUTDOWN,
    SIX_BIT,
    SYN,
    TCP,
    TUNNEL_BIT,
    VNI_BIT,
)
from collector.kernels.opening import note_listener, orient
from collector.kernels.streams import close_streams, retire_hello
from collector.kernels.tcp import SEEN_ACK, SEEN_DATA, SEEN_SYN, is_aborted, is_closed, update_tcp

EVICTION_CANDIDATES, MOST_CANDIDATES = 16, 1024
UNANSWERED, HALF_OPEN, LIVE = range(3)  # what a record is worth to a full table; one that has ended counts as the first
SWEEP_STEP = 16  # records looked at per batch of packets


@inline
def make_key(control, packet):
    """Order the ends, pack the rest of the key, hash it."""
    swapped = packet.src_port > packet.dst_port
    if packet.src_high != packet.dst_high:
        swapped = packet.src_high > packet.dst_high
    elif packet.src_low != packet.dst_low:
        swapped = packet.src_low > packet.dst_low
    packet.side = np.uint64(swapped)
    packet.a_high = packet.dst_high if swapped else packet.src_high
    packet.a_low = packet.dst_low if swapped else packet.src_low
    packet.b_high = packet.src_high if swapped else packet.dst_high
    packet.b_low = packet.src_low if swapped else packet.dst_low
    a_port = packet.dst_port if swapped else packet.src_port
    b_port = packet.src_port if swapped else packet.dst_port
    packet.key4 = (
        (np.uint64(packet.six) << SIX_BIT)
        | (np.uint64(packet.tunnel) << TUNNEL_BIT)
        | (np.uint64(packet.vni >= 0) << VNI_BIT)
        | (np.uint64(a_port) << A_PORT_BIT)
        | (np.uint64(b_port) << B_PORT_BIT)
        | (np.uint64(packet.protocol) << PROTOCOL_BIT)
        | np.uint64(packet.vlan + 1)
    )
    packet.key5 = (np.uint64(packet.interface) << THIRTY_TWO) | (np.uint64(packet.vni) & POSITION)
    packet.tag = tag_of(control, packet)


@inline
def tag_of(control, key):
    """What the index knows of a key: of a packet's, or of a record's that is to be found again."""
    word = hash_ends(control, key.a_high, key.a_low, key.b_high, key.b_low)
    return fold(key.key4 ^ word, key.key5 ^ control.salt) >> THIRTY_TWO


@inline
def same_flow(flow, packet):
    """All of the key is compared at once: where it differs at all is not to be guessed."""
    return (
        (flow.a_low ^ packet.a_low)
        | (flow.b_low ^ packet.b_low)
        | (flow.a_high ^ packet.a_high)
        | (flow.b_high ^ packet.b_high)
        | (flow.key4 ^ packet.key4)
        | (flow.key5 ^ packet.key5)
    ) == np.uint64(0)


@inline
def find_flow(table, packet):
    """The slab position of the packet's flow, or -1."""
    mask = table.control[0].index_mask
    tag = packet.tag
    slot = tag & mask
    while True:
        entry = table.flow_index[slot]
        if entry == np.uint64(0):
            return -1
        if entry >> THIRTY_TWO == tag:
            position = np.int64(entry & POSITION) - 1
            if same_flow(table.flows[np.uint64(position)], packet):
                return position
        slot = (slot + ONE) & mask


@inline
def prefetch_slot(table, packet):
    prefetch(table.flow_index, packet.tag & table.control[0].index_mask, np.int64(0))


@inline
def prefetch_flow(table, packet):
    entry = table.flow_index[packet.tag & table.control[0].index_mask]
    if entry != np.uint64(0):
        for offset in (0, 64, 128):  # a record lies on three lines
            prefetch(table.flows, (entry & POSITION) - ONE, np.int64(offset))


@inline
def is_over(flow, silent, control):
    """The same for a packet that finds the record, a sweep, and the end of the input, so that none of them changes a record."""
    return silent > control.idle or (silent > control.linger and is_closed(flow))


@inline
def over_reason(flow):
    if is_closed(flow):
        return RESET if is_aborted(flow) else CLOSED
    return IDLE


@inline
def write_flow(table, position, reason):
    """Copy a record out."""
    control = table.control[0]
    row = control.flow_rows
    table.flow_rows[np.uint64(row)] = table.flows[np.uint64(position)]
    table.flow_rows[np.uint64(row)].reason = reason
    control.flow_rows = row + 1


@inline
def end_flow(table, position, reason):
    """Write a record for the last time, and let go of what hangs on it."""
    flow = table.flows[np.uint64(position)]
    if flow.stream[0] >= 0 or flow.stream[1] >= 0:
        close_streams(table, flow)
    write_flow(table, position, reason)
    if flow.hello >= 0:
        retire_hello(table, flow.hello)


@kernel
def finish_flow(table, position, reason):
    """Write a record for the last time and take it out of the table."""
    control = table.control[0]
    end_flow(table, position, reason)
    flow = table.flows[np.uint64(position)]
    remove_index(table.flow_index, control.index_mask, tag_of(control, flow), position)
    flow.reason = reason
    table.free_flows[np.uint64(control.free_flows)] = position
    control.free_flows += 1


@inline
def worth_of(flow):
    """An answer alone is worth little, as a flood of SYNs has answers; a connection is live when its opener goes on."""
    if flow.key4 >> PROTOCOL_BIT & np.uint64(0xFF) != np.uint64(TCP):
        return LIVE if flow.packets[0] > 0 and flow.packets[1] > 0 else UNANSWERED
    if flow.seen[0] == 0 or flow.seen[1] == 0 or is_closed(flow):
        return UNANSWERED
    return LIVE if np.int64(flow.seen[np.uint64(flow.opener)]) & (SEEN_ACK | SEEN_DATA) else HALF_OPEN


@kernel
def evict_flow(table):
    """Make room: of a few records the least recently used of those that are worth least.

    Connections that were opened one after the other are neighbours: where all of the few are worth most, more are looked at.
    """
    control = table.control[0]
    best = np.int64(-1)
    best_worth, best_time = LIVE + 1, np.int64(0)
    for step in range(MOST_CANDIDATES):
        if step % EVICTION_CANDIDATES == 0 and best_worth < LIVE:
            break
        position = control.evict
        control.evict = (control.evict + 1) % table.flows.size
        flow = table.flows[np.uint64(position)]
        worth = worth_of(flow)
        if worth < best_worth or (worth == best_worth and flow.last_time < best_time):
            best, best_worth, best_time = position, worth, flow.last_time
    control.evictions += 1
    flow = table.flows[np.uint64(best)]
    finish_flow(table, best, over_reason(flow) if is_closed(flow) else EVICTED)


@inline
def new_flow(table, packet):
    control = table.control[0]
    if control.free_flows == 0 and control.free_flow == table.flows.size:
        evict_flow(table)
    if np.uint64(2 * (control.free_flow - control.free_flows + 1)) > control.index_mask:
        grow_index(table)
    if control.free_flows > 0:
        control.free_flows -= 1
        position = np.int64(table.free_flows[np.uint64(control.free_flows)])
    else:
        position = control.free_flow
        control.free_flow += 1
    flow = table.flows[np.uint64(position)]
    flow.a_high, flow.a_low = packet.a_high, packet.a_low
    flow.b_high, flow.b_low = packet.b_high, packet.b_low
    flow.key4 = packet.key4
    flow.key5 = packet.key5
    flow.reason = OPEN
    for side in range(2):
        flow.seen[side] = 0
        flow.state[side] = NOTHING
        flow.next[side] = 0
        flow.stream[side] = -1
    flow.handshake_time = -1
    flow.hello = -1
    flow.tunnel = -1
    flow.application = IPSEC if packet.protocol == ESP else NO_APPLICATION
    flow.icmp_type = packet.icmp_type
    flow.icmp_code = max(packet.icmp_code, 0)
    if packet.levels == 1:  # inside another tunnel the addresses are whatever its sender wrote
        flow.tunnel = tunnel_of(table, packet)
    orient(table, flow, packet)
    clear_interval(flow, packet.time)
    insert_index(table.flow_index, control.index_mask, packet.tag, position)
    return position


@kernel
def grow_index(table):
    """Use twice as much of the index, so that it stays half empty, and small while there are few flows."""
    control = table.control[0]
    if control.index_mask + ONE == np.uint64(table.flow_index.size):
        return
    for slot in range(control.index_mask + ONE):
        table.flow_index[np.uint64(slot)] = np.uint64(0)
    control.index_mask = control.index_mask * np.uint64(2) + ONE
    for position in range(control.free_flow):
        flow = table.flows[np.uint64(position)]
        if flow.reason == OPEN:
            insert_index(table.flow_index, control.index_mask, tag_of(control, flow), position)


@inline
def clear_interval(flow, time):
    flow.first_time = time
    flow.last_time = time
    for side in range(2):
        flow.packets[side] = 0
        flow.bytes[side] = 0
        flow.tcp_flags[side] = 0
        flow.retransmits[side] = 0
        flow.zero_windows[side] = 0
    flow.server_handshake = -1
    flow.client_handshake = -1


@inline
def tunnel_of(table, packet):
    """The place of the outer address pair in the table of tunnels, or -1 where that is full."""
    word = hash_ends(
        table.control[0], packet.outer_src_high, packet.outer_src_low, packet.outer_dst_high, packet.outer_dst_low
    )
    slot = word & np.uint64(MAX_TUNNELS - 1)
    for _ in range(64):
        pair = table.tunnels[slot]
        if pair.used == np.uint64(0):
            pair.used = ONE
            pair.src_high, pair.src_low = packet.outer_src_high, packet.outer_src_low
            pair.dst_high, pair.dst_low = packet.outer_dst_high, packet.outer_dst_low
            return np.int64(slot)
        if (
            pair.src_low == packet.outer_src_low
            and pair.dst_low == packet.outer_dst_low
            and pair.src_high == packet.outer_src_high
            and pair.dst_high == packet.outer_dst_high
        ):
            return np.int64(slot)
        slot = (slot + ONE) & np.uint64(MAX_TUNNELS - 1)
    return np.int64(-1)


@inline
def begins_anew(flow, packet, silent, linger):
    """A SYN where a connection was: the ports are used again, unless it is the same SYN or the two are still talking."""
    if packet.protocol != TCP or not packet.tcp_flags & SYN:
        return False
    side = packet.side
    if flow.state[side] == FINISHED and flow.state[ONE - side] == NOTHING:
        return True  # the other way passes elsewhere, as where only one of the two goes through an overlay
    if packet.tcp_flags & ACK:
        return False
    return is_closed(flow) or (silent > linger and flow.state[0] == ESTABLISHED and flow.state[1] == ESTABLISHED)


@inline
def update_flow(table, packet):
    """Count the packet in its flow; returns the flow's slab position."""
    control = table.control[0]
    position = find_flow(table, packet)
    if position >= 0:
        flow = table.flows[np.uint64(position)]
        silent = max(packet.time - flow.last_time, control.now - flow.touched)
        if is_over(flow, silent, control) or begins_anew(flow, packet, silent, control.linger):
            finish_flow(table, position, over_reason(flow))
            position = np.int64(-1)
        elif packet.time - flow.first_time > control.active:
            write_flow(table, position, ACTIVE)
            flow.started = 0
            flow.handshake_time = -1
            clear_interval(flow, packet.time)
    if position < 0:
        position = new_flow(table, packet)
    flow = table.flows[np.uint64(position)]
    side = packet.side
    if packet.protocol == TCP:
        if packet.tcp_flags & (SYN | ACK) == SYN | ACK and flow.seen[ONE - side] & SEEN_SYN:
            note_listener(table, packet)
        update_tcp(flow, packet)
    flow.packets[side] += np.uint32(packet.packets)
    flow.bytes[side] += packet.ip_bytes
    flow.tcp_flags[side] |= np.uint8(packet.tcp_flags)
    flow.touched = control.now
    if packet.time > flow.last_time:
        flow.last_time = packet.time
    if packet.since < flow.first_time:
        flow.first_time = packet.since
    return position


@inline
def sweep_flows(table, steps):
    """Look at the next few records of the slab and write those that are over."""
    control = table.control[0]
    for _ in range(steps):
        if control.sweep >= control.free_flow:
            control.sweep = 0
            if control.free_flow == 0:
                return
        position = control.sweep
        control.sweep += 1
        end_if_over(table, position)


@inline
def end_if_over(table, position):
    flow, control = table.flows[np.uint64(position)], table.control[0]
    if flow.reason == OPEN and is_over(flow, control.now - flow.touched, control):
        finish_flow(table, position, over_reason(flow))


@inline
def flush_flow(table, position):
    """Write a record at the end of the input, when nobody looks for one any more."""
    control = table.control[0]
    flow = table.flows[np.uint64(position)]
    if flow.reason == OPEN:
        over = is_closed(flow) or is_over(flow, control.now - flow.touched, control)
        end_flow(table, position, over_reason(flow) if over else SHUTDOWN)
