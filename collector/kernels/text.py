"""Writing text into a byte arena. Each function writes at ``at`` and returns the place behind what it wrote.

What is written becomes Arrow strings, so it is ASCII: any other octet is escaped.
"""

import numpy as np

from collector.kernels.jit import inline, kernel
from collector.kernels.load import WORD_OCTETS, le64, put64, u8
from collector.kernels.names import HIGH_BITS, lower

MAPPED_PREFIX = np.uint64(0xFFFF)
THIRTY_TWO, WORD, BYTE = np.uint64(32), np.uint64(0xFFFF), np.uint64(0xFF)
# Characters as numpy integers: a literal argument would have numba compile a function once for each value.
SPACE, QUOTE, HASH, COMMA, DOT, SLASH = np.frombuffer(b' "#,./', np.uint8).astype(np.int64)
COLON, EQUALS, BACKSLASH, LETTER_F = np.frombuffer(b":=\\f", np.uint8).astype(np.int64)
LOWER_CASE, AS_SENT = np.arange(2)
EVERY_BIT, ONES = np.uint64(0xFFFFFFFFFFFFFFFF), np.uint64(0x0101010101010101)
FIRST_PRINTABLE, LETTERS = ONES * np.uint64(0x21), ONES * np.uint64(0x61)
DOTS, BACKSLASHES = ONES * np.uint64(0x2E), ONES * np.uint64(0x5C)
ADDRESS_TEXT = 40  # room for one address: eight groups of four digits and seven colons
OCTETS = np.frombuffer("".join(f"{octet}.".ljust(WORD_OCTETS) for octet in range(256)).encode(), np.uint8)


@inline
def put(text, at, octet):
    text[np.uint64(at)] = np.uint8(octet)
    return at + 1


@kernel
def put_decimal(text, at, number):
    divisor = np.int64(1)
    while number // divisor >= 10:
        divisor *= 10
    while divisor > 0:
        at = put(text, at, 48 + number // divisor % 10)
        divisor //= 10
    return at


@inline
def put_digit(text, at, digit):
    return put(text, at, (48 if digit < 10 else 87) + digit)


@inline
def put_hex(text, at, octet):
    return put_digit(text, put_digit(text, at, octet >> 4), octet & 15)


@kernel
def put_escaped(text, at, octet, quote):
    """RFC 1035 §5.1: ``\\c`` for the characters that have a meaning, ``\\DDD`` for what is not printable ASCII."""
    if octet == BACKSLASH or octet == quote:
        return put(text, put(text, at, BACKSLASH), octet)
    if octet < 33 or octet > 126:
        if octet == SPACE and quote == QUOTE:
            return put(text, at, SPACE)
        at = put(text, at, BACKSLASH)
        at = put(text, at, 48 + octet // 100)
        at = put(text, at, 48 + octet // 10 % 10)
        return put(text, at, 48 + octet % 10)
    return put(text, at, octet)


@kernel
def put_ipv4(text, at, number):
    """Writes over up to seven octets behind the address."""
    for shift in range(24, -8, -8):
        octet = number >> shift & 255
        put64(text, at, le64(OCTETS, WORD_OCTETS * octet))
        at += 2 + (octet > 9) + (octet > 99)
    return at - 1


@inline
def group_of(high, low, index):
    word = high if index < 4 else low
    return np.int64((word >> np.uint64(48 - 16 * (index % 4))) & WORD)


@kernel
def put_ipv6(text, at, high, low):
    """RFC 5952 §4: no leading zeros, the longest run of zero groups (the first of equals, at least two) as ``::``.

    An IPv4-mapped address ends in dots (§5).
    """
    if high == np.uint64(0) and low >> THIRTY_TWO == MAPPED_PREFIX:
        for octet in (COLON, COLON, LETTER_F, LETTER_F, LETTER_F, LETTER_F, COLON):
            at = put(text, at, octet)
        return put_ipv4(text, at, np.int64(low & np.uint64(0xFFFFFFFF)))
    best, best_size, start, size = -1, 1, -1, 0
    for index in range(8):
        if group_of(high, low, index) == 0:
            if size == 0:
                start = index
            size += 1
            if size > best_size:
                best, best_size = start, size
        else:
            size = 0
    index = 0
    while index < 8:
        if index == best:
            at = put(text, put(text, at, COLON), COLON)
            index += best_size
            continue
        if index > 0 and index != best + best_size:
            at = put(text, at, COLON)
        at = put_group(text, at, group_of(high, low, index))
        index += 1
    return at


@inline
def put_group(text, at, group):
    shift = 12
    while shift > 0 and group >> shift == 0:
        shift -= 4
    while shift >= 0:
        at = put_digit(text, at, group >> shift & 15)
        shift -= 4
    return at


@inline
def put_address(text, at, high, low):
    """IPv4 is carried as ::ffff:a.b.c.d."""
    if high == np.uint64(0) and low >> THIRTY_TWO == MAPPED_PREFIX:
        return put_ipv4(text, at, np.int64(low & np.uint64(0xFFFFFFFF)))
    return put_ipv6(text, at, high, low)


@kernel
def put_name(text, at, names, base, size, case):
    """The name in wire form (RFC 1035 §3.1) at ``base`` as text without the final dot; the root is a dot."""
    if size <= 1:
        return put(text, at, DOT)
    place, root = base, base + size - 1
    while True:
        label = u8(names, place)
        at = put_label(text, at, names, place + 1, label, case)
        place += 1 + label
        if place >= root:
            return at
        at = put(text, at, DOT)


@inline
def put_label(text, at, names, place, size, case):
    """Eight octets at a time; what is written behind the last is written over."""
    for done in range(0, size, 8):
        count = min(size - done, 8)
        word = le64(names, place + done)
        if case == LOWER_CASE:
            word = lower(word)
        if is_plain(word, count):
            put64(text, at, word)
            at += count
        else:
            for step in range(count):
                at = put_escaped(text, at, np.int64(word >> np.uint64(8 * step) & BYTE), DOT)
    return at


@inline
def is_plain(word, count):
    """Whether the first octets are printable ASCII, and neither dot nor backslash."""
    unused = np.uint64(64 - 8 * count)
    word = ((word << unused) | (LETTERS & ~(EVERY_BIT << unused))) if count < 8 else word
    dots, backslashes = word ^ DOTS, word ^ BACKSLASHES
    marked = (
        ((word - FIRST_PRINTABLE) & ~word)
        | (word + ONES)
        | word
        | ((dots - ONES) & ~dots)
        | ((backslashes - ONES) & ~backslashes)
    )
    return marked & HIGH_BITS == np.uint64(0)
