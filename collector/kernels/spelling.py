"""Text columns: each function writes the text of all rows one behind the other, and where each ends as Arrow offsets.

A row without text is as long as an empty one; that it is NULL is told elsewhere. ``text`` has ``WORD_OCTETS`` to spare.
"""

from typing import NamedTuple

import numpy as np

from collector.kernels.jit import entry, inline, kernel
from collector.kernels.load import copy_words, u8
from collector.kernels.text import BACKSLASH, put, put_address, put_decimal, put_hex, put_ipv6

# Of an address column. ``kind`` is below zero where there is none.
ADDRESS = np.dtype([("high", "u8"), ("low", "u8"), ("kind", "i8")], align=True)
NO_ADDRESS, MAPPED_IS_IPV4, IPV6 = np.arange(-1, 2)

# Of a column whose text lies in the arena. ``octets`` is below zero where there is none.
PLACE = np.dtype([("at", "i4"), ("octets", "i4")], align=True)

NUMBERED = 0  # the word that numbers without one begin with
OCTET_TEXT = 4  # what an octet takes that is not printable


class Words(NamedTuple):
    """Texts by code; a code that has none is spelled as the prefix, which is word 0, and its number."""

    place: np.ndarray  # of a word, by code
    start: np.ndarray
    size: np.ndarray
    text: np.ndarray
    hexadecimal: bool


@entry
def spell(codes, words, text, offsets):
    """The words of codes; one below zero has no text."""
    end = np.int64(0)
    offsets[0] = 0
    for row in range(codes.size):
        code = np.int64(codes[np.uint64(row)])
        if code >= 0:
            end = put_word(text, end, words, code)
        offsets[np.uint64(row + 1)] = end


@inline
def put_word(text, at, words, code):
    word = np.int64(words.place[np.uint64(code)]) if code < words.place.size else NUMBERED
    start, size = np.int64(words.start[np.uint64(word)]), np.int64(words.size[np.uint64(word)])
    at = copy_words(words.text, start, text, at, size)
    if word != NUMBERED:
        return at
    if words.hexadecimal:
        return put_hex(text, put_hex(text, at, code >> 8), code & 255)
    return put_decimal(text, at, code)


@entry
def gather(arena, places, text, offsets):
    """What lies in the arena at each place; up to seven octets behind it are read too, for which the arena has room."""
    end = np.int64(0)
    offsets[0] = 0
    for row in range(places.size):
        place = places[np.uint64(row)]
        end = copy_words(arena, np.int64(place.at), text, end, max(np.int64(place.octets), 0))
        offsets[np.uint64(row + 1)] = end


@entry
def write_addresses(addresses, text, offsets):
    """RFC 5952."""
    end = np.int64(0)
    offsets[0] = 0
    for row in range(addresses.size):
        address = addresses[np.uint64(row)]
        if address.kind == IPV6:
            end = put_ipv6(text, end, address.high, address.low)
        elif address.kind == MAPPED_IS_IPV4:
            end = put_address(text, end, address.high, address.low)
        offsets[np.uint64(row + 1)] = end


@entry
def write_server_names(rows, hellos, text, offsets):
    """The server name of each flow that has a hello with one."""
    end = np.int64(0)
    offsets[0] = 0
    for row in range(rows.size):
        which = np.int64(rows[np.uint64(row)].hello)
        if which >= 0:
            hello = hellos[np.uint64(which)]
            end = put_printable(text, end, hello.sni, np.int64(0), np.int64(hello.sni_size))
        offsets[np.uint64(row + 1)] = end


@entry
def write_protocols(rows, hellos, text, offsets, lists):
    """The protocols of each flow that has a hello with some; ``lists`` are the Arrow offsets of what a flow has."""
    end, count = np.int64(0), np.int64(0)
    offsets[0] = lists[0] = 0
    for row in range(rows.size):
        which = np.int64(rows[np.uint64(row)].hello)
        at = np.int64(0)
        while which >= 0 and at < hellos[np.uint64(which)].alpn_size:
            hello = hellos[np.uint64(which)]
            behind = at + 1 + u8(hello.alpn, at)
            end = put_printable(text, end, hello.alpn, at + 1, min(behind, np.int64(hello.alpn_size)))
            count += 1
            offsets[np.uint64(count)] = end
            at = behind
        lists[np.uint64(row + 1)] = count


@kernel
def put_printable(text, at, octets, start, end):
    """Octets as text; ``\\DDD`` for a backslash and for what is not printable ASCII."""
    for step in range(start, end):
        octet = u8(octets, step)
        if 33 <= octet <= 126 and octet != BACKSLASH:
            at = put(text, at, octet)
        else:
            at = put(text, at, BACKSLASH)
            at = put(text, at, 48 + octet // 100)
            at = put(text, at, 48 + octet // 10 % 10)
            at = put(text, at, 48 + octet % 10)
    return at
