"""Blocks of a TPACKET_V3 ring as the kernel writes them (``struct tpacket3_hdr``, ``struct sockaddr_ll``)."""

import struct
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from collector.kernels.layout import FRAME, Records
from collector.kernels.ring import NOT_WANTED, UNKNOWN, walk_ring
from collector.kernels.state import records
from collector.sources.interfaces import LiveInterfaces

BLOCK_HEADER = 48
MAC = 48 + 20 + 16  # where a frame begins in its place: behind header, address and some room


class InRing(NamedTuple):
    """A packet and what the kernel says of it; ``network``: octets before its IP header."""

    octets: bytes
    index: int = 2
    seconds: int = 1_700_000_000
    nanoseconds: int = 1_999
    wire: int = 0
    tag: int | None = None
    hardware: int = 1
    protocol: int = 0x0800
    network: int = 14


def laid_down(packets: Sequence[InRing]) -> np.ndarray:
    """Their place in a block, behind its header."""
    parts = [bytes(BLOCK_HEADER)]
    for packet in packets:
        size = -(-(MAC + len(packet.octets)) // 16) * 16
        octets = (header(packet, size) + address(packet)).ljust(MAC, b"\xa5") + packet.octets
        parts.append(octets.ljust(size, b"\xa5"))
    return np.frombuffer(b"".join(parts), np.uint8).copy()


def header(packet: InRing, size: int) -> bytes:
    lengths = len(packet.octets), packet.wire or len(packet.octets)
    status = 1 | (0 if packet.tag is None else 1 << 4)
    told = struct.pack("6I", size, packet.seconds, packet.nanoseconds, *lengths, status)
    return told + struct.pack("HHIIHH8x", MAC, MAC + packet.network, 0, packet.tag or 0, 0x8100, 0)


def address(packet: InRing) -> bytes:
    return (
        struct.pack("H", 17)
        + struct.pack(">H", packet.protocol)
        + struct.pack("iHBB8x", packet.index, packet.hardware, 0, 6)
    )


def walked(packets: Sequence[InRing], interfaces: LiveInterfaces, room: int = 64) -> tuple[Records, int, int]:
    """(frames, place, left)."""
    frames = records(room, FRAME)
    count, at, left = walk_ring(
        laid_down(packets), BLOCK_HEADER, len(packets), interfaces.indexes, interfaces.ids, frames
    )
    return frames[:count], at, left


def found_id(interfaces: LiveInterfaces, index: int) -> int:
    frames, _, left = walked([InRing(bytes(60), index)], interfaces)
    if left:
        return int(UNKNOWN)
    return int(frames.interface[0]) if frames.size else int(NOT_WANTED)
