"""The data of resource records as text: the presentation form of the types that are read, RFC 3597 §5 for the others."""

import numpy as np

from collector.kernels.jit import inline, kernel
from collector.kernels.load import be16, be32, be64, u8
from collector.kernels.names import MALFORMED, read_name
from collector.kernels.text import (
    BACKSLASH,
    COMMA,
    EQUALS,
    HASH,
    LOWER_CASE,
    QUOTE,
    SPACE,
    put,
    put_decimal,
    put_escaped,
    put_hex,
    put_ipv4,
    put_ipv6,
    put_name,
)

A, NS, CNAME, SOA, PTR, MX, TXT, AAAA, SRV = 1, 2, 5, 6, 12, 15, 16, 28, 33
DNAME, DS, SSHFP, TLSA, SVCB, HTTPS, SPF, CAA = 39, 43, 44, 52, 64, 65, 99, 257


@kernel
def put_data(text, written, label, data, start, at, end, kind):
    """RDATA as text; what its type does not allow is written as RFC 3597 §5 writes an unknown type."""
    size = end - at
    done = np.int64(MALFORMED)
    if kind == A:
        if size == 4:
            done = put_ipv4(text, written, be32(data, at))
    elif kind == AAAA:
        if size == 16:
            done = put_ipv6(text, written, be64(data, at), be64(data, at + 8))
    elif kind == CNAME or kind == NS or kind == PTR or kind == DNAME:
        done = put_names(text, written, label, data, start, at, end, 1)
    elif kind == MX:
        if size >= 3:
            done = put(text, put_decimal(text, written, be16(data, at)), SPACE)
            done = put_names(text, done, label, data, start, at + 2, end, 1)
    elif kind == SRV:
        if size >= 7:
            done = put(text, put_decimal(text, written, be16(data, at)), SPACE)
            done = put(text, put_decimal(text, done, be16(data, at + 2)), SPACE)
            done = put(text, put_decimal(text, done, be16(data, at + 4)), SPACE)
            done = put_names(text, done, label, data, start, at + 6, end, 1)
    elif kind == SOA:
        if size >= 22:
            done = put_names(text, written, label, data, start, at, end - 20, 2)
            if done >= 0:
                for field in range(5):
                    done = put_decimal(text, put(text, done, SPACE), be32(data, end - 20 + 4 * field))
    elif kind == TXT or kind == SPF:
        done = put_strings(text, written, data, at, end)
    elif kind == CAA:
        done = put_caa(text, written, data, at, end)
    elif kind == DS:
        if size >= 5:
            done = put(text, put_decimal(text, written, be16(data, at)), SPACE)
            done = put_two_and_hex(text, done, data, at + 2, end)
    elif kind == SSHFP:
        if size >= 3:
            done = put_two_and_hex(text, written, data, at, end)
    elif kind == TLSA:
        if size >= 4:
            done = put(text, put_decimal(text, written, u8(data, at)), SPACE)
            done = put_two_and_hex(text, done, data, at + 1, end)
    elif (kind == HTTPS or kind == SVCB) and size >= 3:
        done = put_service(text, written, label, data, start, at, end)
    return put_unknown(text, written, data, at, end) if done < 0 else done


@kernel
def put_names(text, written, label, data, start, at, end, count):
    """``count`` names with spaces between; they must end before ``end``."""
    for number in range(count):
        at, size = read_name(data, start, at, end, label)
        if size < 0:
            return np.int64(MALFORMED)
        if number > 0:
            written = put(text, written, SPACE)
        written = put_name(text, written, label, 0, size, LOWER_CASE)
    return written


@inline
def put_strings(text, written, data, at, end):
    """Character strings (RFC 1035 §3.3.14), joined: a long text is cut into strings of 255 octets (RFC 7208 §3.3)."""
    while at < end:
        size = u8(data, at)
        if at + 1 + size > end:
            return np.int64(MALFORMED)
        written = put_text(text, written, data, at + 1, at + 1 + size)
        at += 1 + size
    return written


@kernel
def put_text(text, written, data, at, end):
    for place in range(at, end):
        written = put_escaped(text, written, u8(data, place), QUOTE)
    return written


@inline
def put_caa(text, written, data, at, end):
    """RFC 8659 §4.1: flags, tag, value."""
    if end - at < 2 or at + 2 + u8(data, at + 1) > end:
        return np.int64(MALFORMED)
    value = at + 2 + u8(data, at + 1)
    written = put(text, put_decimal(text, written, u8(data, at)), SPACE)
    written = put(text, put_text(text, written, data, at + 2, value), SPACE)
    written = put_text(text, put(text, written, QUOTE), data, value, end)
    return put(text, written, QUOTE)


@kernel
def put_two_and_hex(text, written, data, at, end):
    """Two small numbers and a digest, as DS, SSHFP and TLSA end."""
    written = put(text, put_decimal(text, written, u8(data, at)), SPACE)
    written = put(text, put_decimal(text, written, u8(data, at + 1)), SPACE)
    for place in range(at + 2, end):
        written = put_hex(text, written, u8(data, place))
    return written


@kernel
def put_unknown(text, written, data, at, end):
    r"""RFC 3597 §5: ``\# length hex``."""
    written = put(text, put(text, put(text, written, BACKSLASH), HASH), SPACE)
    written = put_decimal(text, written, end - at)
    if end > at:
        written = put(text, written, SPACE)
    for place in range(at, end):
        written = put_hex(text, written, u8(data, place))
    return written


@inline
def put_word(text, written, word):
    """An ASCII word packed into an integer, first letter highest."""
    shift = 56
    while shift >= 0:
        octet = word >> shift & 255
        if octet:
            written = put(text, written, octet)
        shift -= 8
    return written


def pack(word: str) -> np.int64:
    return np.int64(int.from_bytes(word.encode(), "big"))


WORD_ALPN, WORD_NO_DEFAULT, WORD_ALPN_END = pack("alpn"), pack("no-defau"), pack("lt-alpn")
WORD_PORT = pack("port")
WORD_IPV4HINT, WORD_IPV6HINT, WORD_KEY = pack("ipv4hint"), pack("ipv6hint"), pack("key")


@kernel
def put_service(text, written, label, data, start, at, end):
    """SVCB and HTTPS (RFC 9460 §2.1): priority, target, parameters in ascending key order."""
    written = put(text, put_decimal(text, written, be16(data, at)), SPACE)
    at, size = read_name(data, start, at + 2, end, label)
    if size < 0:
        return np.int64(MALFORMED)
    written = put_name(text, written, label, 0, size, LOWER_CASE)
    while end - at >= 4:
        key, length = be16(data, at), be16(data, at + 2)
        at += 4
        if length > end - at:
            return np.int64(MALFORMED)
        written = put_parameter(text, put(text, written, SPACE), data, key, at, at + length)
        at += length
    return written if at == end else np.int64(MALFORMED)


@kernel
def put_parameter(text, written, data, key, at, end):
    size = end - at
    if key == 1:
        written = put(text, put(text, put_word(text, written, WORD_ALPN), EQUALS), QUOTE)
        first = True
        while at < end and at + 1 + u8(data, at) <= end:
            if not first:
                written = put(text, written, COMMA)
            first = False
            written = put_protocol(text, written, data, at + 1, at + 1 + u8(data, at))
            at += 1 + u8(data, at)
        return put(text, written, QUOTE)
    if key == 2:
        return put_word(text, put_word(text, written, WORD_NO_DEFAULT), WORD_ALPN_END)
    if key == 3 and size == 2:
        return put_decimal(text, put(text, put_word(text, written, WORD_PORT), EQUALS), be16(data, at))
    if key == 4 and size > 0 and size % 4 == 0:
        written = put(text, put_word(text, written, WORD_IPV4HINT), EQUALS)
        for place in range(at, end, 4):
            if place > at:
                written = put(text, written, COMMA)
            written = put_ipv4(text, written, be32(data, place))
        return written
    if key == 6 and size > 0 and size % 16 == 0:
        written = put(text, put_word(text, written, WORD_IPV6HINT), EQUALS)
        for place in range(at, end, 16):
            if place > at:
                written = put(text, written, COMMA)
            written = put_ipv6(text, written, be64(data, place), be64(data, place + 8))
        return written
    written = put_decimal(text, put_word(text, written, WORD_KEY), key)
    if size > 0:
        written = put(text, written, EQUALS)
        for place in range(at, end):
            written = put_hex(text, written, u8(data, place))
    return written


@kernel
def put_protocol(text, written, data, at, end):
    """One of a list, whose commas and backslashes are escaped twice (RFC 9460 §A.1). No space: between spaces is a parameter."""
    for place in range(at, end):
        octet = u8(data, place)
        if octet == COMMA or octet == BACKSLASH:
            written = put(text, put(text, written, BACKSLASH), BACKSLASH)
        written = put_escaped(text, written, octet, COMMA if octet == SPACE else QUOTE)
    return written
