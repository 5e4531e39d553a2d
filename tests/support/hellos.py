"""ClientHellos with every octet fixed (RFC 8446 §4.1.2), and the TLS records that hold them."""

import struct
from collections.abc import Sequence

SUITES = (0x1301, 0x1302, 0x1303, 0xC02F)
SERVER_NAME, ALPN, PADDING, VERSIONS, ENCRYPTED = 0, 16, 21, 43, 0xFE0D


def extension(kind: int, data: bytes) -> bytes:
    return struct.pack(">HH", kind, len(data)) + data


def vector(data: bytes, width: int) -> bytes:
    return len(data).to_bytes(width, "big") + data


def client_hello(
    name: str | None,
    alpn: Sequence[str] = ("h2", "http/1.1"),
    versions: Sequence[int] = (0x0304, 0x0303),
    *,
    encrypted: bool = False,
    padding: int = 0,
    trailing: int = 0,
) -> bytes:
    """The handshake message, from its header on, with octets of padding before the extensions that are read, and behind."""
    extensions = b""
    if padding:
        extensions += extension(PADDING, bytes(padding))
    if encrypted:  # outer; HKDF-SHA256 with AES-128-GCM; configuration 7; what is sealed
        sealed = b"\0" + struct.pack(">HHB", 1, 1, 7) + vector(bytes(range(32)), 2) + vector(bytes(range(100, 228)), 2)
        extensions += extension(ENCRYPTED, sealed)
    if name is not None:
        extensions += extension(SERVER_NAME, vector(b"\0" + vector(name.encode(), 2), 2))
    if alpn:
        extensions += extension(ALPN, vector(b"".join(vector(word.encode(), 1) for word in alpn), 2))
    if versions:
        extensions += extension(VERSIONS, vector(b"".join(struct.pack(">H", number) for number in versions), 1))
    if trailing:
        extensions += extension(PADDING, bytes(trailing))
    suites = b"".join(struct.pack(">H", suite) for suite in SUITES)
    body = b"\x03\x03" + bytes(range(32)) + vector(b"", 1) + vector(suites, 2) + vector(b"\0", 1)
    return b"\x01" + vector(body + vector(extensions, 2), 3)


def tls_record(data: bytes, kind: int = 22) -> bytes:
    return struct.pack(">BHH", kind, 0x0301, len(data)) + data


def in_records(handshake: bytes, sizes: Sequence[int]) -> bytes:
    """The message in records of these sizes, the rest in a last one."""
    parts, at = b"", 0
    for size in sizes:
        parts += tls_record(handshake[at : at + size])
        at += size
    return parts + tls_record(handshake[at:])
