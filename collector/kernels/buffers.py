"""Putting together what comes in pieces: a datagram from its fragments, the beginning of a TCP stream from segments."""

import numpy as np

from collector.kernels.aging import link_newest, unlink
from collector.kernels.jit import inline, kernel
from collector.kernels.layout import BUFFER_BYTES, MAX_PIECES

NO_BUFFER = np.int64(-1)


@kernel
def take_buffer(buffers, key, time):
    """An empty buffer, the newest of the list; -1: none is free."""
    control = buffers.control[0]
    if control.free == 0:
        return NO_BUFFER
    control.free -= 1
    slot = np.int64(buffers.free[np.uint64(control.free)])
    buffer = buffers.records[np.uint64(slot)]
    buffer.key = key
    buffer.time = time
    buffer.taken = 0
    buffer.ready = 0
    buffer.total = -1
    buffer.pieces = 0
    buffer.wanted = 0
    link_newest(control, buffers.records, slot)
    return slot


@kernel
def hide_buffer(buffers, slot):
    """Out of the list by age, so that it is not given up before it is read."""
    unlink(buffers.control[0], buffers.records, slot)


@kernel
def free_buffer(buffers, slot):
    """A hidden one, for the next."""
    control = buffers.control[0]
    buffers.records[np.uint64(slot)].key = np.uint64(0)
    buffers.free[np.uint64(control.free)] = slot
    control.free += 1


@kernel
def release_buffer(buffers, slot):
    hide_buffer(buffers, slot)
    free_buffer(buffers, slot)


@inline
def base_of(slot):
    """Where the buffer's octets begin."""
    return slot * BUFFER_BYTES


@kernel
def put_piece(buffers, slot, offset, data, at, size, time):
    """Copy octets to their place; False where they do not fit or leave too many gaps. What came first stays."""
    buffer = buffers.records[np.uint64(slot)]
    start, end = max(offset, np.int64(buffer.ready)), offset + size
    if end <= start:
        return True
    if end > BUFFER_BYTES:
        return False
    base = base_of(slot)
    for place in range(start, end):
        if not is_there(buffer, place):
            buffers.data[np.uint64(base + place)] = data[np.uint64(at + place - offset)]
    pieces = np.int64(buffer.pieces)
    number = 0
    while number < pieces:
        if buffer.starts[number] <= end and buffer.ends[number] >= start:
            start, end = min(start, np.int64(buffer.starts[number])), max(end, np.int64(buffer.ends[number]))
            pieces -= 1
            buffer.starts[number], buffer.ends[number] = buffer.starts[pieces], buffer.ends[pieces]
        else:
            number += 1
    if start == buffer.ready:
        buffer.ready = end
        buffer.time = time
    elif pieces == MAX_PIECES:
        buffer.pieces = pieces
        return False
    else:
        buffer.starts[pieces], buffer.ends[pieces] = start, end
        pieces += 1
    buffer.pieces = pieces
    return True


@inline
def is_there(buffer, place):
    for number in range(buffer.pieces):
        if buffer.starts[number] <= place < buffer.ends[number]:
            return True
    return False


@kernel
def forget_taken(buffers, slot):
    """Move what was not read to the front."""
    buffer = buffers.records[np.uint64(slot)]
    taken = np.int64(buffer.taken)
    end = np.int64(buffer.ready)
    for number in range(buffer.pieces):
        end = max(end, np.int64(buffer.ends[number]))
        buffer.starts[number] -= taken
        buffer.ends[number] -= taken
    base = base_of(slot)
    for place in range(taken, end):
        buffers.data[np.uint64(base + place - taken)] = buffers.data[np.uint64(base + place)]
    buffer.next = np.uint32((np.int64(buffer.next) + taken) & 0xFFFFFFFF)
    buffer.ready -= taken
    buffer.taken = 0
