"""Capture files whose framing itself is changed: a fault or an ``InputError`` is an answer, nothing else is."""

import gzip
import random
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import patch

import pyarrow as pa

from collector.kernels.state import Bounds
from collector.sources import capture as source
from collector.sources.capture import Block, open_capture
from contract.errors import InputError
from tests.fuzz.invariants import check_capture
from tests.fuzz.rounds import Mutated, Plan, frames_of
from tests.fuzz.seeds import Pool, of
from tests.support.frames import NOBODY, START, block, enhanced, interface, option, pcap, pcapng, section, simple, timed
from tests.support.shapes import shapes

BOUNDS = Bounds(64, 16)


def files() -> Pool:
    """Captures of every form, small enough to be changed in many places."""
    frames = timed([frame for frame in shapes() if len(frame) < 120][:20])
    plain = [
        *(pcap(frames, link, order, fine) for link in (1, 276) for order in "<>" for fine in (False, True)),
        pcap(frames, 0x24000001),  # a checksum of four octets behind each frame
        *(pcapng(frames, 1, order) for order in "<>"),
        *(_sections(order) for order in "<>"),
        b"",
        bytes(40),
    ]
    packed = [gzip.compress(plain[0], mtime=0), gzip.compress(plain[-4], mtime=0), _zstd(plain[0]), _zstd(plain[-4])]
    return of([(1, data) for data in plain + packed])


def _zstd(data: bytes) -> bytes:
    return bytes(pa.compress(data, codec="zstd", asbytes=True))


def _sections(order: str) -> bytes:
    """Several sections, interfaces with options, every kind of packet block, and blocks to pass over."""
    frame = shapes()[0]
    options = option(2, b"eth0", order) + option(9, b"\x09", order) + option(14, struct.pack(order + "q", -5), order)
    powers = option(2, b"\xff\xfe", order) + option(9, b"\xa0", order) + option(0, b"", order)
    old = struct.pack(order + "HHIIII", 0, 3, 0, START, len(frame), len(frame)) + frame
    names = struct.pack(order + "HH", 1, 8) + b"\x0a\0\0\1srv\0" + bytes(4)
    return b"".join(
        [
            section(order),
            interface(1, options, 96, order),
            interface(276, powers, 0, order),
            enhanced(frame, START * 10**9, 0, order),
            simple(frame, order),
            block(2, old, order),
            block(4, names, order),
            block(5, struct.pack(order + "III", 0, 0, 1), order),
            block(0x0BAD, bytes(64), order),
            section(">" if order == "<" else "<"),
            interface(101, order=">" if order == "<" else "<"),
            enhanced(frame[14:], START * 10**6, 0, ">" if order == "<" else "<"),
        ]
    )


def changed(seed: int, pool: Pool, count: int) -> Iterator[bytes]:
    """``count`` changed files, less than a block of them."""
    plan = Plan(seed, 1, Bounds(), heat=250, most=4, jumps=0, flood=0, twin=False)
    part = next(Mutated(plan, pool).blocks())
    for frame in frames_of(Block(part.data, part.frames, min(part.count, count))):
        yield frame.octets


def check_file(path: Path, blocks: int, beat: Callable[[], None] = lambda: None) -> int:
    """The packets of a file, read ``blocks`` octets at a time."""
    with patch.object(source, "BLOCK", blocks), open_capture(str(path), NOBODY) as capture:
        try:
            return check_capture(capture, BOUNDS, beat)
        except InputError:
            return 0


def block_size(seed: int) -> int:
    """How much is read at a time: as usual, or so little that packets lie across the edge."""
    return random.Random(seed).choice((source.BLOCK, 64, 1000))
