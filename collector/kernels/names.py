"""Reading DNS names (RFC 1035 §4.1.4).

Everything is checked against ``end``; a compression pointer must point below the one before it, so reading ends.
"""

import numpy as np

from collector.kernels.jit import inline, kernel
from collector.kernels.layout import MAX_NAME
from collector.kernels.load import be16, copy, le64, put64, u8

HEADER = 12  # octets before the first name of a message
MAX_POINTERS = 127  # as many as a name can have labels; a name that follows more is malformed
MALFORMED = -1
NO_OCTETS = np.uint64(0)


LOW_BITS, HIGH_BITS = np.uint64(0x7F7F7F7F7F7F7F7F), np.uint64(0x8080808080808080)
FROM_A, ABOVE_Z = np.uint64(0x3F3F3F3F3F3F3F3F), np.uint64(0x2525252525252525)  # 128 less 65, 128 less 91
TWO = np.uint64(2)


@inline
def lower(word):
    """Eight octets at once: names are the same whatever the case of their ASCII letters (RFC 4343 §3)."""
    low = word & LOW_BITS
    capitals = ((low + FROM_A) ^ (low + ABOVE_Z)) & ~word & HIGH_BITS
    return word | (capitals >> TWO)


@inline
def has_capitals(names, base, size):
    """Lengths of labels are below any letter."""
    for place in range(base, base + size, 8):
        word = le64(names, place)
        if lower(word) != word:
            return True
    return False


@kernel
def read_name(data, start, at, end, name):
    """Copy a name in wire form, and zeros behind it. Returns (place behind it, size); the size is ``MALFORMED`` if it is none."""
    size = np.int64(0)
    behind = np.int64(-1)
    lowest = at
    pointers = 0
    while True:
        if at >= end:
            return at, np.int64(MALFORMED)
        length = u8(data, at)
        if length >= 192:
            if at + 2 > end:
                return at, np.int64(MALFORMED)
            target = start + (be16(data, at) & 0x3FFF)
            if behind < 0:
                behind = at + 2
            pointers += 1
            if target >= lowest or target < start + HEADER or pointers > MAX_POINTERS:
                return at, np.int64(MALFORMED)
            at = lowest = target
            continue
        if length > 63 or at + 1 + length > end or size + 1 + length > MAX_NAME:
            return at, np.int64(MALFORMED)
        copy(data, at, name, size, 1 + length)
        size += 1 + length
        at += 1 + length
        if length == 0:
            put64(name, size, NO_OCTETS)
            put64(name, size + 8, NO_OCTETS)
            return (at if behind < 0 else behind), size


@inline
def skip_name(data, at, end):
    """The place behind a name, or ``MALFORMED``; what a pointer leads to is not looked at."""
    while at < end:
        length = u8(data, at)
        if length >= 192:
            return at + 2 if at + 2 <= end else np.int64(MALFORMED)
        if length > 63:
            return np.int64(MALFORMED)
        at += 1 + length
        if length == 0:
            return at
    return np.int64(MALFORMED)
