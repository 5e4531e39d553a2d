"""Reading DNS names (RFC 1035 §4.1.4).

Everything is checked against ``end``; a compression pointer must point below the one before it, so reading ends.
"""

import numpy as np

from collector.kernels.jit import inline, kernel
from collector.kernels.layout import MAX_NAME
from collector.kernels.load import be16, u8

HEADER = 12  # octets before the first name of a message
MAX_POINTERS = 127  # as many as a name can have labels; a name that follows more is malformed
MALFORMED = -1


@inline
def lower(octet):
    """Names are the same whatever the case of their ASCII letters (RFC 4343 §3)."""
    return octet + 32 if 65 <= octet <= 90 else octet


@inline
def has_capitals(name, size):
    """Lengths of labels are below any letter."""
    for place in range(size):
        if 65 <= name[np.uint64(place)] <= 90:
            return True
    return False


@kernel
def read_name(data, start, at, end, name):
    """Copy a name in wire form. Returns (place behind it, size); the size is ``MALFORMED`` if it is none."""
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
        name[np.uint64(size)] = np.uint8(length)
        for step in range(length):
            name[np.uint64(size + 1 + step)] = data[np.uint64(at + 1 + step)]
        size += 1 + length
        at += 1 + length
        if length == 0:
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
