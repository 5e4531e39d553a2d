"""Filling a block with changed frames. The same ``ROUND`` gives the same frames.

A frame begins as a seed of the pool, mostly the one after the last, so that handshakes, queries and fragments find
their other half; then it is changed, or not. Between frames lie ``GAP`` octets of poison that no record may depend on.
"""

import numpy as np

from collector.kernels.jit import entry, kernel
from collector.kernels.layout import NO_TAG

GAP = 64
ROOM = 12_000  # octets of a changed frame

ROUND = np.dtype(
    [
        ("state", "u8"),  # of the random numbers
        ("cursor", "i8"),  # the seed at hand
        ("clock", "i8"),  # µs
        ("heat", "i8"),  # frames of 256 that are changed
        ("most", "i8"),  # changes of one frame
        ("jumps", "i8"),  # frames of 65536 at which the clock jumps
        ("flood", "i8"),  # frames of 256 whose addresses are new
    ],
    align=True,
)

STEP, ONE, TWO = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
OCTETS = np.array([0, 0xFF, 0x7F, 0x80, 1, 2, 3, 4, 5, 6, 8, 0x3F, 0x40, 0xC0, 0x45, 0x60, 0x46, 0x4F], np.uint8)
# Types, ports, protocols and lengths that some reader looks for.
WORDS = np.array(
    [0, 1, 2, 7, 8, 12, 0x14, 0x28, 0x35, 0x7F, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0xFFFE, 0x0800, 0x86DD, 0x6558]
    + [0x8100, 0x88A8, 0x88E7, 0x8847, 0x8848, 0x8864, 0x88BE, 0x22EB, 0x880B, 0x894F, 0xC00C, 0xC000, 0x1603, 0x0301]
    + [443, 4789, 8472, 6081, 4790, 2152, 3544, 5353, 5355, 1701, 1723, 47808, 0x2000, 0x3FFF, 0x1FFF, 0x4500, 0x6000],
    np.int64,
)
LINES = np.array([0, 12, 14, 16, 17, 18, 20, 23, 26, 34, 36, 38, 42, 46, 54, 58], np.int64)  # where headers begin
LAST_TIME = 7_258_118_399_000_000  # µs: the last that framing lets through


@kernel
def draw(rounds):
    """The next 63 random bits (splitmix64)."""
    one = rounds[0]
    one.state += STEP
    word = one.state
    word = (word ^ (word >> np.uint64(30))) * ONE
    word = (word ^ (word >> np.uint64(27))) * TWO
    return np.int64((word ^ (word >> np.uint64(31))) >> np.uint64(1))


@kernel
def below(rounds, limit):
    return draw(rounds) % limit if limit > 0 else np.int64(0)


@kernel
def place_in(rounds, size):
    """Where to change: mostly near where a header begins, else anywhere."""
    if draw(rounds) & 1:
        near = LINES[below(rounds, LINES.size)] + below(rounds, 4)
        if near < size:
            return near
    return below(rounds, size)


@kernel
def put(data, at, size, place, octets, value):
    """Write ``value`` big-endian, as far as it lies inside."""
    for step in range(octets):
        if place + step < size:
            data[at + place + step] = (value >> (8 * (octets - 1 - step))) & 0xFF


@kernel
def number(rounds, size):
    """A value for a length field: one of note, or close to what is really there."""
    if draw(rounds) & 1:
        return WORDS[below(rounds, WORDS.size)]
    return max(size - below(rounds, 64) + below(rounds, 9) - 4, np.int64(0))


@kernel
def overwrite(data, at, size, rounds):
    place, kind = place_in(rounds, size), below(rounds, 8)
    if kind == 0:
        data[at + place] ^= np.uint8(1 << below(rounds, 8))
    elif kind == 1:
        data[at + place] = OCTETS[below(rounds, OCTETS.size)]
    elif kind == 2:
        data[at + place] = np.uint8(below(rounds, 256))
    elif kind == 3:
        data[at + place] = np.uint8(data[at + place] + below(rounds, 9) - 4)
    elif kind == 4:
        put(data, at, size, place, 4, number(rounds, size))
    elif kind == 5:
        put(data, at, size, place, 4, draw(rounds) & 0xFFFFFFFF)
    else:
        put(data, at, size, place, 2, number(rounds, size))


@kernel
def move(data, source, target, size):
    """Copy octets of one array that may overlap."""
    if source < target:
        for step in range(size - 1, -1, -1):
            data[target + step] = data[source + step]
    else:
        for step in range(size):
            data[target + step] = data[source + step]


@kernel
def resize(data, at, size, rounds):
    """Take octets out or put some in; the new size."""
    place, kind = place_in(rounds, size), below(rounds, 4)
    amount = below(rounds, 1 + (size if draw(rounds) & 7 == 0 else min(size, 24)))
    if kind == 0:
        amount = min(amount, size - place)
        move(data, at + place + amount, at + place, size - place - amount)
        return size - amount
    if kind == 1:
        return size - amount
    amount = min(amount, size - place, ROOM - size)
    move(data, at + place, at + place + amount, size - place)  # what is behind the gap repeats what it held
    if kind == 2:
        value = np.uint8(OCTETS[below(rounds, OCTETS.size)])
        for step in range(amount):
            data[at + place + step] = value
    return size + amount


@kernel
def splice(data, at, size, pool, rounds):
    """Octets of another seed over a range, or in place of the rest; the new size."""
    other = below(rounds, pool.size.size)
    there = place_in(rounds, pool.size[other])
    place, rest = place_in(rounds, size), (draw(rounds) & 1) == 1
    length = min(pool.size[other] - there, ROOM - place if rest else min(size - place, below(rounds, 40)))
    for step in range(length):
        data[at + place + step] = pool.data[pool.offset[other] + there + step]
    return place + length if rest else size


@kernel
def change(data, at, size, pool, rounds):
    """Change ``data[at:at + size]``, behind which there is room; the new size."""
    one = rounds[0]
    for _ in range(1 + below(rounds, one.most)):
        kind = below(rounds, 16)
        if kind < 12 and size > 0:
            overwrite(data, at, size, rounds)
        elif kind < 14 and size > 0:
            size = resize(data, at, size, rounds)
        elif kind == 14:
            size = splice(data, at, size, pool, rounds)
    return size


@kernel
def tick(rounds):
    """The time of the next frame: soon after, or far off in either direction."""
    one = rounds[0]
    one.clock += below(rounds, 200)
    if below(rounds, 65536) < one.jumps:
        kind = below(rounds, 8)
        if kind == 7:
            return LAST_TIME if draw(rounds) & 1 else np.int64(0)
        span = np.int64(1) << (10 + below(rounds, 21))  # up to half an hour
        one.clock = max(one.clock + (span if kind < 4 else -span), np.int64(0))
    return one.clock


@kernel
def renumber(data, at, size, rounds):
    """Addresses that no frame had, where IPv4 in Ethernet has them."""
    if size >= 34:
        put(data, at, size, 27, 3, draw(rounds))
        put(data, at, size, 31, 3, draw(rounds))


@entry
def fill(data, frames, pool, rounds):
    """Fill ``frames``, as many as ``data`` has room for; (how many, where the last ends)."""
    one = rounds[0]
    count, at = 0, np.int64(GAP)
    end = at
    while count < frames.size and at + ROOM <= data.size:
        one.cursor = below(rounds, pool.size.size) if draw(rounds) & 31 == 0 else (one.cursor + 1) % pool.size.size
        seed = one.cursor
        size, interface = pool.size[seed], pool.interface[seed]
        for step in range(size):
            data[at + step] = pool.data[pool.offset[seed] + step]
        if below(rounds, 256) < one.flood:
            renumber(data, at, size, rounds)
        wire = size
        if below(rounds, 256) < one.heat:
            size = change(data, at, size, pool, rounds)
            wire = size
            kind = below(rounds, 64)
            if kind < 3:
                size = below(rounds, size + 1)
            elif kind == 3:
                wire = min(size + (np.int64(1) << below(rounds, 32)), np.int64(0x7FFFFFFF))
            elif kind == 4:
                interface = below(rounds, pool.links.size)
        frame = frames[count]
        frame.offset, frame.captured, frame.wire = at, size, wire
        frame.time, frame.interface, frame.link, frame.tag = tick(rounds), interface, pool.links[interface], NO_TAG
        count += 1
        end = at + size
        at = end + GAP
    return count, end
