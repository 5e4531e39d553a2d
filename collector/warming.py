"""Every kernel compiled before it is needed: the smallest captures that have every kind of record go through the collector."""

import struct
from collections.abc import Iterable
from io import BufferedReader, BytesIO

import numpy as np

from collector.conntrack import room
from collector.driver import Settings, collect
from collector.kernels.conntrack import walk_conntrack
from collector.kernels.hello import read_handshake
from collector.kernels.layout import HELLO
from collector.kernels.state import Bounds, records
from collector.sources.capture import open_capture

RAW_IP = 101  # link type
TCP, UDP = 6, 17
CLIENT, SERVER = b"\x0a\0\0\1", b"\x0a\0\0\2"
QUESTION = b"\x01a\0" + struct.pack(">HH", 1, 1)
ANSWER = struct.pack(">HHHIH", 0xC00C, 1, 1, 60, 4) + SERVER
FEW = Bounds(1 << 10, 1 << 10)


def warm() -> None:
    for capture in (_pcap(_packets()), _pcapng(_packets())):
        with open_capture("-", BufferedReader(BytesIO(capture))) as opened:
            for _ in collect(opened, Settings(seed=0, bounds=FEW)):
                pass
    walk_conntrack(np.frombuffer(bytes(1), np.uint8), 0, 0, room(1))
    # Of QUIC; a packet of it would have to be encrypted first.
    read_handshake(records(1, HELLO), 0, np.frombuffer(bytes(1), np.uint8))


def _packets() -> list[bytes]:
    query = struct.pack(">6H", 1, 0x0100, 1, 0, 0, 0) + QUESTION
    response = struct.pack(">6H", 1, 0x8180, 1, 1, 0, 0) + QUESTION + ANSWER
    return [
        _ip(UDP, CLIENT, SERVER, struct.pack(">4H", 4000, 53, 8 + len(query), 0) + query),
        _ip(UDP, SERVER, CLIENT, struct.pack(">4H", 53, 4000, 8 + len(response), 0) + response),
        _ip(TCP, CLIENT, SERVER, struct.pack(">HHIIHHHH", 4001, 443, 1, 1, 0x5018, 1024, 0, 0) + _client_hello()),
    ]


def _ip(protocol: int, src: bytes, dst: bytes, payload: bytes) -> bytes:
    return struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 0, 0, 64, protocol, 0, src, dst) + payload


def _client_hello() -> bytes:
    """With a server name and a protocol (RFC 8446 §4.1.2, RFC 6066 §3, RFC 7301 §3.1)."""
    name = struct.pack(">HHHBH", 0, 6, 4, 0, 1) + b"a"
    protocol = struct.pack(">HHHB", 16, 5, 3, 2) + b"h2"
    extensions = name + protocol
    body = b"\3\3" + bytes(32) + b"\0" + b"\0\2\x13\1" + b"\1\0" + struct.pack(">H", len(extensions)) + extensions
    handshake = b"\1" + len(body).to_bytes(3) + body
    return b"\x16\3\1" + struct.pack(">H", len(handshake)) + handshake


def _pcap(packets: Iterable[bytes]) -> bytes:
    header = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 1 << 16, RAW_IP)
    return header + b"".join(struct.pack("<IIII", 1, 0, len(packet), len(packet)) + packet for packet in packets)


def _pcapng(packets: Iterable[bytes]) -> bytes:
    section = _block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
    interface = _block(1, struct.pack("<HHI", RAW_IP, 0, 1 << 16))
    blocks = (_block(6, struct.pack("<IIIII", 0, 0, 1, len(packet), len(packet)) + packet) for packet in packets)
    return section + interface + b"".join(blocks)


def _block(kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    return struct.pack("<II", kind, 12 + len(body)) + body + struct.pack("<I", 12 + len(body))
