"""The TLS ClientHello at the start of a connection: server name, protocols, highest version offered.

RFC 8446 §4.1.2 and §5.1 (records), RFC 6066 §3 (server name), RFC 7301 §3.1 (ALPN), RFC 8446 §4.2.1 (supported versions),
RFC 9849 §5 (Encrypted ClientHello).
"""

import numpy as np

from collector.kernels.jit import entry, inline, kernel
from collector.kernels.layout import BUFFER_BYTES, MAX_ALPN, MAX_SNI
from collector.kernels.load import be16, be24, u8

HANDSHAKE, CLIENT_HELLO = 22, 1
RECORD_HEADER, HELLO_START = 5, 6
SERVER_NAME, ALPN, SUPPORTED_VERSIONS, ENCRYPTED_HELLO = 0, 16, 43, 0xFE0D
NOT_WHOLE, NOT_A_HELLO = -1, -2
MAX_RECORDS = 64  # that one hello may be cut into


@inline
def begins_hello(data, at, size):
    return size >= HELLO_START and may_begin_hello(data, at, size)


@inline
def may_begin_hello(data, at, size):
    """As far as the octets go: a handshake record, major version 3, whose message is a ClientHello."""
    return (
        (size < 1 or u8(data, at) == HANDSHAKE)
        and (size < 2 or u8(data, at + 1) == 3)
        and (size < HELLO_START or u8(data, at + HELLO_START - 1) == CLIENT_HELLO)
    )


@kernel
def hello_end(data, at, end):
    """Where the records of a ClientHello end; ``NOT_WHOLE`` where more is needed, ``NOT_A_HELLO`` where none can come."""
    gathered, head = np.int64(0), np.int64(0)
    for _ in range(MAX_RECORDS):
        if end - at < RECORD_HEADER:
            return np.int64(NOT_WHOLE)
        size = be16(data, at + 3)
        if u8(data, at) != HANDSHAKE or size == 0:
            return np.int64(NOT_A_HELLO)
        at += RECORD_HEADER
        there = min(size, end - at)
        for step in range(max(min(there, 4 - gathered), 0)):  # even the message's header may lie in several records
            head = (head << 8) | u8(data, at + step)
        gathered += there
        needed = 4 + (head & 0xFFFFFF)
        if gathered >= 4 and needed > BUFFER_BYTES:
            return np.int64(NOT_A_HELLO)
        if gathered >= 4 and gathered >= needed:
            return at + there - (gathered - needed)
        at += there
    return np.int64(NOT_A_HELLO)


@kernel
def read_records(hello, scratch, data, at, end):
    """Read a ClientHello out of its records, as far as they go; ``scratch`` takes one that several records hold."""
    first = be16(data, at + 3) if end - at >= RECORD_HEADER + 4 else np.int64(0)
    if first >= 4 and first >= 4 + be24(data, at + 6):
        read_hello(hello, data, at + RECORD_HEADER, min(end, at + RECORD_HEADER + first))
        return
    size = np.int64(0)
    while end - at > RECORD_HEADER and u8(data, at) == HANDSHAKE:
        behind = min(at + RECORD_HEADER + be16(data, at + 3), end)
        for place in range(at + RECORD_HEADER, behind):
            if size < scratch.size:
                scratch[np.uint64(size)] = data[np.uint64(place)]
                size += 1
        at = behind
    read_hello(hello, scratch, np.int64(0), size)


@kernel
def read_hello(hello, data, at, end):
    """Read a ClientHello into an empty record, as far as it goes, from its handshake header on."""
    if end - at < 6:
        return
    last, highest = at + 4 + be24(data, at + 1), be16(data, at + 4)
    at = skip_vector(data, at + 38, end, 1)
    at = skip_vector(data, at, end, 2)
    at = skip_vector(data, at, end, 1)
    if at < 0:
        return
    if end - at >= 2:
        last = at + 2 + be16(data, at)
        at += 2
    end = min(end, last)
    while end - at >= 4:
        kind, size = be16(data, at), be16(data, at + 2)
        at += 4
        if size > end - at:
            return
        if kind == SERVER_NAME:
            read_server_name(hello, data, at, at + size)
        elif kind == ALPN and 2 < size <= MAX_ALPN + 2:
            for step in range(size - 2):
                hello.alpn[step] = np.uint8(u8(data, at + 2 + step))
            hello.alpn_size = size - 2
        elif kind == SUPPORTED_VERSIONS:
            read_versions(hello, data, at, at + size)
        elif kind == ENCRYPTED_HELLO:
            hello.ech = 1
        at += size
    if at >= last and hello.version == 0:  # read to its end, and nothing said more
        hello.version = highest


@entry
def read_handshake(hellos, row, data):
    """Read the ClientHello that ``data`` begins with into ``hellos[row]``."""
    if data.size >= 4 and u8(data, 0) == CLIENT_HELLO:
        read_hello(hellos[np.uint64(row)], data, np.int64(0), np.int64(data.size))


@inline
def skip_vector(data, at, end, width):
    """The place behind a vector with ``width`` octets of length, or -1."""
    if at < 0 or end - at < width:
        return np.int64(-1)
    size = u8(data, at) if width == 1 else be16(data, at)
    return at + width + size if at + width + size <= end else np.int64(-1)


@inline
def read_server_name(hello, data, at, end):
    if end - at < 5 or u8(data, at + 2) != 0:
        return
    size = be16(data, at + 3)
    if size == 0 or size > MAX_SNI or at + 5 + size > end:
        return
    for step in range(size):
        octet = u8(data, at + 5 + step)
        hello.sni[step] = np.uint8(octet + 32 if 65 <= octet <= 90 else octet)
    hello.sni_size = size


@inline
def read_versions(hello, data, at, end):
    """The highest that is a TLS version; the rest is grease (RFC 8701)."""
    for place in range(at + 1, end - 1, 2):
        version = be16(data, place)
        if version >> 8 == 3 and version <= 0x0304 and version > hello.version:
            hello.version = version
