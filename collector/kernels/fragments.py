"""Fragments of IP datagrams (RFC 791 §2.3, RFC 8200 §4.5): whose ports they have, and DNS messages put together."""

import numpy as np

from collector.kernels.buffers import (
    NO_BUFFER,
    base_of,
    hide_buffer,
    put_piece,
    release_buffer,
    take_buffer,
)
from collector.kernels.hashing import ONE, datagram_key
from collector.kernels.jit import inline, kernel
from collector.kernels.layout import (
    DCCP,
    HELD,
    KEPT,
    MAX_DATAGRAMS,
    MAX_FRAGMENTED,
    ORPHAN_FRAGMENT,
    SCTP,
    TCP,
    UDP,
    UDPLITE,
)

LIFE = 60_000_000  # µs for which fragments of one datagram are waited for (RFC 8200 §4.5)
UDP_HEADER = 8
ZERO = np.uint64(0)


@kernel
def place_fragment(state, data, packet, interface):
    """Give a fragment its ports, or let it wait for them; ``interface`` is the frame's. Returns ``KEPT`` or ``HELD``."""
    packet.datagram = datagram_key(state.control[0], packet)
    protocol = packet.protocol
    if not (protocol == TCP or protocol == UDP or protocol == SCTP or protocol == UDPLITE or protocol == DCCP):
        packet.captured = packet.length = 0
        return KEPT
    slot = slot_of(state, packet.datagram, packet.time, interface)
    if packet.fragment_at == 0:
        slot.ports = np.uint32((np.int64(packet.src_port) << 16) | packet.dst_port)
        slot.first = 1
    if slot.first == 0:
        slot.since = min(np.int64(slot.since), packet.time) if slot.packets else packet.time
        slot.packets += 1
        slot.bytes += packet.ip_bytes
        if protocol == UDP:
            keep_piece(state, data, packet, 0)
        return HELD
    packet.src_port = np.int64(slot.ports) >> 16
    packet.dst_port = np.int64(slot.ports) & 0xFFFF
    if slot.packets:
        packet.since = min(np.int64(slot.since), packet.time)
    packet.packets += slot.packets
    packet.ip_bytes += slot.bytes
    slot.packets = 0
    slot.bytes = 0
    if protocol == UDP:
        ports = state.dns.ports
        if ports[np.uint64(packet.src_port)] or ports[np.uint64(packet.dst_port)]:
            if not slot.whole:
                packet.complete = keep_piece(state, data, packet, 1)
            slot.whole = slot.whole or packet.complete >= 0
        elif packet.fragment_at == 0:
            forget_pieces(state, packet.datagram)
    if packet.fragment_at > 0 or protocol == UDP:
        packet.captured = packet.length = 0  # a message in pieces is read when it is whole
    return KEPT


@inline
def slot_of(state, key, time, interface):
    """The place of a datagram; one that another had, or the same long ago, is emptied."""
    slot = state.fragmented[(key >> ONE) & np.uint64(MAX_FRAGMENTED - 1)]
    if slot.key != key or time - slot.time > LIFE:
        forget_datagram(state, slot)
        slot.key = key
        slot.interface = interface
        slot.bytes = 0
        slot.packets = 0
        slot.first = 0
        slot.whole = 0
    slot.time = time
    return slot


@kernel
def note_carrier(state, packet, interface):
    """The first fragment of a tunnel's packet is in the flow inside; those that follow are in the tunnel's own."""
    slot = slot_of(state, packet.carrier, packet.time, interface)
    slot.ports = np.uint32(packet.carrier_ports)
    slot.first = 1
    slot.whole = 1


@kernel
def forget_datagram(state, slot):
    """Fragments that waited in vain are in no flow, and what was kept of them is of no use."""
    if slot.packets > 0:
        state.discarded[np.uint64(slot.interface), np.uint64(ORPHAN_FRAGMENT)] += slot.packets
        slot.packets = 0
    if slot.key != ZERO:
        forget_pieces(state, slot.key)
    slot.key = ZERO


@kernel
def find_pieces(datagrams, key):
    for slot in range(MAX_DATAGRAMS):
        if datagrams.records[np.uint64(slot)].key == key:
            return np.int64(slot)
    return NO_BUFFER


@kernel
def forget_pieces(state, key):
    slot = find_pieces(state.datagrams, key)
    if slot >= 0:
        give_up_pieces(state, slot)


@kernel
def give_up_pieces(state, slot):
    state.control[0].datagram_overflows += state.datagrams.records[np.uint64(slot)].wanted
    release_buffer(state.datagrams, slot)


@kernel
def keep_piece(state, data, packet, wanted):
    """Copy a fragment of a UDP datagram to its place; returns the buffer when the datagram is whole, else -1."""
    datagrams = state.datagrams
    slot = find_pieces(datagrams, packet.datagram)
    if slot < 0:
        slot = take_buffer(datagrams, packet.datagram, packet.time)
    if slot < 0:
        give_up_pieces(state, np.int64(datagrams.control[0].oldest))
        slot = take_buffer(datagrams, packet.datagram, packet.time)
    offset, at, size = packet.fragment_at, packet.payload, packet.captured
    if offset == 0:
        at, size = at - UDP_HEADER, size + UDP_HEADER
    buffer = datagrams.records[np.uint64(slot)]
    buffer.wanted |= wanted
    if packet.more == 0:
        buffer.total = offset + packet.length + (UDP_HEADER if offset == 0 else 0)
    if not put_piece(datagrams, slot, offset, data, at, size, packet.time):
        give_up_pieces(state, slot)
        return NO_BUFFER
    if buffer.total < 0 or buffer.ready < buffer.total:
        return NO_BUFFER
    hide_buffer(datagrams, slot)
    buffer.key = ZERO
    return slot


@inline
def message_of(datagrams, slot):
    """Where the message of a whole datagram begins and how long it is."""
    return base_of(slot) + UDP_HEADER, max(np.int64(datagrams.records[np.uint64(slot)].total) - UDP_HEADER, 0)


@kernel
def end_fragments(state):
    """At the end of the input nothing waits any more."""
    for slot in range(MAX_FRAGMENTED):
        forget_datagram(state, state.fragmented[np.uint64(slot)])
