"""The TLS ClientHello at the start of a connection: server name, protocols, highest version offered.

RFC 8446 §4.1.2, RFC 6066 §3 (server name), RFC 7301 §3.1 (ALPN), RFC 8446 §4.2.1 (supported versions).
"""

import numpy as np

from collector.kernels.jit import inline, kernel
from collector.kernels.layout import MAX_ALPN, MAX_SNI, TCP
from collector.kernels.load import be16, u8

HANDSHAKE, CLIENT_HELLO = 22, 1
SERVER_NAME, ALPN, SUPPORTED_VERSIONS = 0, 16, 43


@inline
def is_hello(data, packet):
    at = packet.payload
    return (
        packet.protocol == TCP
        and packet.captured >= 43
        and u8(data, at) == HANDSHAKE
        and u8(data, at + 1) == 3
        and u8(data, at + 5) == CLIENT_HELLO
    )


@kernel
def read_hello(table, data, packet, flow):
    """Keep the ClientHello's words with the flow; as far as the segment goes."""
    control = table.control[0]
    if flow.hello >= 0 or control.free_hellos == 0:
        return
    control.free_hellos -= 1
    flow.hello = table.free_hellos[np.uint64(control.free_hellos)]
    hello = table.hellos[np.uint64(flow.hello)]
    hello.sni_size = -1
    hello.alpn_size = -1
    at, end = packet.payload, packet.payload + packet.captured
    hello.version = be16(data, at + 9)
    at = skip_vector(data, at + 43, end, 1)
    at = skip_vector(data, at, end, 2)
    at = skip_vector(data, at, end, 1)
    if at < 0 or end - at < 2:
        return
    end = min(end, at + 2 + be16(data, at))
    at += 2
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
        at += size


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
