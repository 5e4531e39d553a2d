"""The beginnings of TCP streams that are read: DNS messages (RFC 7766) and a ClientHello over several segments.

A segment goes to its place in a buffer; what is ready is read. A buffer exists only while something waits in it, so a
stream whose segments come whole and in order takes one for as long as it takes to read it.
"""

import numpy as np

from collector.kernels.buffers import base_of, forget_taken, put_piece, release_buffer, take_buffer
from collector.kernels.hello import HELLO_START, NOT_WHOLE, begins_hello, hello_end, may_begin_hello, read_records
from collector.kernels.jit import inline, kernel
from collector.kernels.layout import BUFFER_BYTES, RST, SYN, TLS
from collector.kernels.load import be16

NO_STREAM, LOST = -1, -2  # lost: where its messages begin is not known any more
LARGEST_HELLO = 1 << 14  # octets a ClientHello may be out of order by
SMALLEST_MESSAGE = 12
NOT_YET, NO_MESSAGE = -1, -2  # more is needed; what is there is no DNS message


@inline
def stream_of(flow, packet):
    return np.int64(flow.stream[packet.side])


@inline
def distance(since, until):
    """From one sequence number to another, which may lie before it."""
    ahead = (until - since) & 0xFFFFFFFF
    return ahead - 0x100000000 if ahead >= 0x80000000 else ahead


@inline
def first_octet(packet):
    """Sequence number of the payload: a SYN takes one itself (RFC 7413 has data with it)."""
    return (packet.seq + (1 if packet.tcp_flags & SYN else 0)) & 0xFFFFFFFF


@kernel
def open_stream(table, flow, packet, position, start, hello):
    slot = take_buffer(table.streams, np.uint64(position), packet.time)
    if slot < 0:
        give_up_oldest(table)
        slot = take_buffer(table.streams, np.uint64(position), packet.time)
    buffer = table.streams.records[np.uint64(slot)]
    buffer.next = np.uint32(start)
    buffer.side = packet.side
    buffer.hello = hello
    flow.stream[packet.side] = slot
    return slot


@kernel
def give_up_oldest(table):
    slot = np.int64(table.streams.control[0].oldest)
    flow = table.flows[table.streams.records[np.uint64(slot)].key]
    close_stream(table, flow, slot, True)


@kernel
def close_stream(table, flow, slot, lost):
    """Read what there is of a ClientHello; what waits of a DNS message is not read any more, ``lost`` where it was one."""
    buffer = table.streams.records[np.uint64(slot)]
    if lost:
        table.control[0].stream_overflows += 1
    if buffer.hello and flow.hello < 0:
        read_hello_buffer(table, flow, slot)
    flow.stream[np.uint64(buffer.side)] = LOST
    release_buffer(table.streams, slot)


@kernel
def close_streams(table, flow):
    """At the end of a flow everything that waits does so in vain."""
    for side in range(2):
        if flow.stream[side] >= 0:
            close_stream(table, flow, np.int64(flow.stream[side]), True)


@kernel
def add_segment(table, flow, slot, data, packet):
    """Put the payload to its place in the stream; False where that cannot be: the stream is closed."""
    buffer = table.streams.records[np.uint64(slot)]
    at, size, offset = packet.payload, packet.captured, distance(np.int64(buffer.next), first_octet(packet))
    if offset < 0:
        at, size, offset = at - offset, size + offset, np.int64(0)
    if size <= 0 or offset >= BUFFER_BYTES or put_piece(table.streams, slot, offset, data, at, size, packet.time):
        return True
    close_stream(table, flow, slot, True)
    return False


@inline
def has_payload(packet):
    return packet.captured > 0 and not packet.tcp_flags & RST


@kernel
def stage_messages(table, data, packet, position):
    """Put a segment of DNS over TCP to its place; returns the stream that may have whole messages, or -1."""
    flow = table.flows[np.uint64(position)]
    slot = stream_of(flow, packet)
    if slot >= 0 and packet.time - table.streams.records[np.uint64(slot)].time > table.control[0].dns_timeout:
        close_stream(table, flow, slot, True)  # the gap will not be filled any more
        slot = np.int64(LOST)
    if slot < 0:
        start = packet.expected
        is_far = start >= 0 and distance(start, first_octet(packet)) > BUFFER_BYTES
        if slot == LOST or start < 0 or is_far:
            start = first_octet(packet)
            if not begins_message(data, packet.payload, packet.captured):
                if is_far:  # beyond any window: it must not hide what comes where it is expected
                    flow.next[packet.side] = np.uint32(packet.expected)
                return np.int64(NO_STREAM)
        if distance(start, first_octet(packet)) + packet.captured <= 0:  # sent again
            return np.int64(NO_STREAM)
        slot = open_stream(table, flow, packet, position, start, 0)
    return slot if add_segment(table, flow, slot, data, packet) else np.int64(NO_STREAM)


@kernel
def begins_message(data, at, size):
    """Whether octets of unknown place look like the length and the header of a DNS message."""
    if size < 2 + SMALLEST_MESSAGE:
        return False
    flags = be16(data, at + 4)
    opcode, reserved = flags >> 11 & 15, flags & 0x40
    known = be16(data, at) >= SMALLEST_MESSAGE and opcode <= 6 and opcode != 3 and reserved == 0
    return known and be16(data, at + 6) == 1  # one question


@kernel
def next_message(table, slot):
    """The (place, size) of the next whole message of a stream; ``NOT_YET`` or ``NO_MESSAGE`` as the size where there is none."""
    buffer = table.streams.records[np.uint64(slot)]
    at = base_of(slot) + buffer.taken
    left = np.int64(buffer.ready) - buffer.taken
    if left < 2:
        return at, np.int64(NOT_YET)
    size = be16(table.streams.data, at)
    if size < SMALLEST_MESSAGE:
        return at, np.int64(NO_MESSAGE)
    if left < 2 + size:
        return at, np.int64(NOT_YET)
    buffer.taken += 2 + size
    return at + 2, size


@kernel
def skip_gap(table, flow, slot, acknowledged):
    """Go on behind a gap that only the capture has, where a message begins there; else the stream is closed."""
    buffer = table.streams.records[np.uint64(slot)]
    if buffer.pieces == 0 or distance((np.int64(buffer.next) + buffer.ready) & 0xFFFFFFFF, acknowledged) <= 0:
        return
    first = 0
    for number in range(buffer.pieces):
        if buffer.starts[number] < buffer.starts[first]:
            first = number
    start, end = np.int64(buffer.starts[first]), np.int64(buffer.ends[first])
    if buffer.hello or not begins_message(table.streams.data, base_of(slot) + start, end - start):
        close_stream(table, flow, slot, True)
        return
    table.control[0].stream_overflows += 1
    buffer.pieces -= 1
    buffer.starts[first], buffer.ends[first] = buffer.starts[buffer.pieces], buffer.ends[buffer.pieces]
    buffer.taken, buffer.ready = start, end
    forget_taken(table.streams, slot)


@kernel
def rest_stream(table, slot):
    """Keep what was not read yet; without that the buffer is another's."""
    buffer = table.streams.records[np.uint64(slot)]
    if buffer.taken > 0:
        forget_taken(table.streams, slot)
    if buffer.ready > 0 or buffer.pieces > 0:
        return
    flow = table.flows[buffer.key]
    sent = np.int64(flow.next[np.uint64(buffer.side)])
    whole = distance(np.int64(buffer.next), sent) <= 1  # a FIN takes one
    flow.stream[np.uint64(buffer.side)] = NO_STREAM if whole else LOST
    release_buffer(table.streams, slot)


@inline
def may_hold_hello(data, packet, flow):
    """The beginning of a ClientHello, or a part of one: of a stream at hand, or before what should have come first."""
    early = packet.fresh and packet.expected >= 0 and packet.expected != first_octet(packet)
    if early or stream_of(flow, packet) >= 0 or begins_hello(data, packet.payload, packet.captured):
        return True
    short = packet.fresh and packet.captured < HELLO_START
    return short and may_begin_hello(data, packet.payload, packet.captured)


@kernel
def stage_hello(table, data, packet, position):
    """Read a ClientHello that is in one segment, or begin to put one together."""
    flow = table.flows[np.uint64(position)]
    slot = stream_of(flow, packet)
    if slot < 0:
        early = distance(packet.expected, first_octet(packet)) if packet.expected >= 0 else np.int64(0)
        if begins_hello(data, packet.payload, packet.captured):
            end = hello_end(data, packet.payload, packet.payload + packet.captured)
            if end >= 0:
                keep_hello(table, flow, data, packet.payload, end)
                return
        elif not (packet.fresh and 0 <= early < LARGEST_HELLO and is_from_opener(flow, packet)):
            return
        start = first_octet(packet) if early <= 0 else packet.expected
        slot = open_stream(table, flow, packet, position, start, 1)
    if not add_segment(table, flow, slot, data, packet):
        return
    buffer = table.streams.records[np.uint64(slot)]
    base = base_of(slot)
    if not may_begin_hello(table.streams.data, base, np.int64(buffer.ready)):
        close_stream(table, flow, slot, False)
    elif hello_end(table.streams.data, base, base + buffer.ready) != NOT_WHOLE:
        close_stream(table, flow, slot, False)


@inline
def is_from_opener(flow, packet):
    return flow.opener == packet.side


@kernel
def read_hello_buffer(table, flow, slot):
    base = base_of(slot)
    ready = np.int64(table.streams.records[np.uint64(slot)].ready)
    if begins_hello(table.streams.data, base, ready):
        keep_hello(table, flow, table.streams.data, base, base + ready)


@kernel
def keep_hello(table, flow, data, at, end):
    """Read the records of a ClientHello, as far as they go, and keep its words with the flow."""
    flow.application = TLS
    slot = take_hello(table, flow)
    if slot >= 0:
        read_records(table.hellos[np.uint64(slot)], table.scratch, data, at, end)


@kernel
def take_hello(table, flow):
    control = table.control[0]
    if control.free_hellos == 0:
        control.hello_overflows += 1
        return np.int64(-1)
    control.free_hellos -= 1
    flow.hello = table.free_hellos[np.uint64(control.free_hellos)]
    hello = table.hellos[np.uint64(flow.hello)]
    hello.initial = 0
    hello.sni_size = -1
    hello.alpn_size = -1
    hello.version = 0
    hello.ech = 0
    return np.int64(flow.hello)


@inline
def retire_hello(table, slot):
    """The rows still point to it: it is free again when they were taken out."""
    control = table.control[0]
    table.retired[np.uint64(control.retired)] = slot
    control.retired += 1
