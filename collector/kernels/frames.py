"""Finding the frames of a capture: classic pcap records, pcapng packet blocks.

Each walker fills ``frames`` from ``data[start:end]`` and returns (frames found, where it stopped, why).
"""

import numpy as np

from collector.kernels.jit import entry, inline
from collector.kernels.layout import NO_TAG
from collector.kernels.load import any16, any32

MORE, FULL, BAD, OTHER_BLOCK = 0, 1, 2, 3
MAX_FRAME = 1 << 18  # a longer frame is taken for broken framing; the largest real one is 64 KiB and its headers

LAST_SECOND = 7_258_118_399  # of the year 2199, so that a time plus any interval is still one of the calendar
MOST_TICKS = 1 << 43
SECTION, INTERFACE, OLD_PACKET, SIMPLE, ENHANCED = 0x0A0D0D0A, 1, 2, 3, 6


@entry
def walk_pcap(data, start, end, big, per_second, trailer, link, frames):
    """Classic pcap: 16 bytes of header a record. ``trailer``: octets at a frame's end that are its checksum."""
    count, at = 0, start
    while count < frames.size:
        if end - at < 16:
            return count, at, MORE
        captured = any32(data, at + 8, big)
        if captured > MAX_FRAME:
            return count, at, BAD
        if end - at - 16 < captured:
            return count, at, MORE
        frame = frames[np.uint64(count)]
        frame.offset = at + 16
        frame.wire = max(min(max(any32(data, at + 12, big), captured), 0x7FFFFFFF) - trailer, 0)
        frame.captured = min(captured, frame.wire)
        frame.time = any32(data, at, big) * 1_000_000 + any32(data, at + 4, big) * 1_000_000 // per_second
        frame.interface = 0
        frame.link = link
        frame.tag = NO_TAG
        count += 1
        at += 16 + captured
    return count, at, FULL


@inline
def microseconds(time, per_second, offset):
    """A time beyond ``LAST_SECOND`` is no time: 0 takes its place. (The 32 bits of classic pcap end before it.)"""
    seconds = time // per_second
    if time < 0 or seconds + offset // 1_000_000 > LAST_SECOND:
        return np.int64(0)
    rest = time - seconds * per_second
    if per_second % 1_000_000 == 0:
        fraction = rest // (per_second // 1_000_000)
    else:
        while per_second > MOST_TICKS:  # a power of two: keep the product below within 63 bits
            rest, per_second = rest >> 1, per_second >> 1
        fraction = rest * 1_000_000 // per_second
    return max(seconds * 1_000_000 + fraction + offset, 0)


@inline
def is_packet_block(kind):
    return kind == ENHANCED or kind == OLD_PACKET or kind == SIMPLE


@entry
def walk_pcapng(data, start, end, big, before, links, ticks, offsets, snaplens, frames):
    """Packet blocks of one section; stops at any block that Python must read (section, interface) or skip.

    ``links``, ``ticks`` (per second), ``offsets`` (µs) and ``snaplens`` have a row an interface of the section;
    ``before`` counts those of the sections before it.
    """
    count, at = 0, start
    while count < frames.size:
        if end - at < 12:
            return count, at, MORE
        kind = any32(data, at, big)
        length = any32(data, at + 4, big)
        if kind == SECTION or kind == INTERFACE:
            return count, at, OTHER_BLOCK
        if length < 12 or length % 4 != 0:
            return count, at, BAD
        if length > MAX_FRAME + 65536:
            return count, at, BAD if is_packet_block(kind) else OTHER_BLOCK
        if end - at < length:
            return count, at, MORE
        if any32(data, at + length - 4, big) != length:
            return count, at, BAD
        if is_packet_block(kind):
            header = 12 if kind == SIMPLE else 28  # octets before the frame; four follow it
            if length < header + 4:
                return count, at, BAD
            if kind == SIMPLE:
                interface, time = 0, np.int64(0)
                wire = any32(data, at + 8, big)
                captured = min(wire, length - header - 4)
            else:
                interface = any32(data, at + 8, big) if kind == ENHANCED else any16(data, at + 8, big)
                time = (any32(data, at + 12, big) << 32) | any32(data, at + 16, big)
                captured, wire = any32(data, at + 20, big), any32(data, at + 24, big)
            if interface >= links.size or captured > length - header - 4:
                return count, at, BAD
            if kind == SIMPLE and snaplens[np.uint64(interface)] > 0:
                captured = min(captured, snaplens[np.uint64(interface)])
            frame = frames[np.uint64(count)]
            frame.offset = at + header
            frame.captured = captured
            frame.wire = min(max(wire, captured), 0x7FFFFFFF)
            frame.time = microseconds(time, ticks[np.uint64(interface)], offsets[np.uint64(interface)])
            frame.interface = before + interface
            frame.link = links[np.uint64(interface)]
            frame.tag = NO_TAG
            count += 1
        at += length
    return count, at, FULL
