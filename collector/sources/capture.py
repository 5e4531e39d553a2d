"""Capture files as blocks of frames: pcap and pcapng, either byte order, µs and ns, gzip and zstd, or a stream.

pcap: https://datatracker.ietf.org/doc/draft-ietf-opsawg-pcap/, pcapng: https://datatracker.ietf.org/doc/draft-ietf-
opsawg-pcapng/.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import pyarrow as pa

from collector.kernels.frames import BAD, INTERFACE, MAX_FRAME, MORE, OTHER_BLOCK, SECTION, walk_pcap, walk_pcapng
from collector.kernels.layout import FRAME, Records
from collector.kernels.state import records
from contract.errors import InputError

BLOCK = 1 << 20  # bytes read at a time
FRAMES = 1 << 14  # frames handed over at a time
MAX_INTERFACES = 4096  # of one capture, all its sections together
MAX_METADATA_BLOCK = 1 << 20
MAX_INTERFACE_NAME = 255  # octets; Linux has 15, and every record repeats the name

PCAP_MAGIC = {
    b"\xd4\xc3\xb2\xa1": ("<", 1_000_000),
    b"\xa1\xb2\xc3\xd4": (">", 1_000_000),
    b"\x4d\x3c\xb2\xa1": ("<", 1_000_000_000),
    b"\xa1\xb2\x3c\x4d": (">", 1_000_000_000),
}
PCAPNG_MAGIC = b"\x0a\x0d\x0d\x0a"
COMPRESSION = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
IF_NAME, IF_RESOLUTION, IF_OFFSET, IF_END = 2, 9, 14, 0


@dataclass
class Interfaces:
    """What a capture says of its interfaces, one entry each."""

    names: list[str | None] = field(default_factory=list)
    links: list[int] = field(default_factory=list)
    ticks: list[int] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    snaplens: list[int] = field(default_factory=list)

    def add(self, name: str | None, link: int, ticks: int = 1_000_000, offset: int = 0, snaplen: int = 0) -> None:
        self.names.append(name)
        self.links.append(link)
        self.ticks.append(ticks)
        self.offsets.append(offset)
        self.snaplens.append(snaplen)


@dataclass
class Block:
    """``frames[:count]`` lie in ``data``; both are overwritten by the next block."""

    data: np.ndarray
    frames: Records
    count: int


class CaptureFile:
    """One capture, read once from front to end in bounded memory; ``fault`` says why reading ended early, if it did."""

    def __init__(self, name: str, file: pa.NativeFile, head: bytes, piped: bool = False) -> None:
        self.name = name
        self.interfaces = Interfaces()
        self.fault: InputError | None = None
        self.size = 0
        self._file = file
        self.is_piped = piped
        self._stream = _unpacked(file, head)
        self._buffer = np.zeros(BLOCK + MAX_FRAME + MAX_METADATA_BLOCK, np.uint8)
        self._frames = records(FRAMES, FRAME)
        self._start = self._end = 0
        self._before = 0  # interfaces of the sections before this one
        self._ended = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def position(self) -> int:
        """Bytes of the file taken so far, compressed if it is; of a stream, what it was unpacked to."""
        return self.size if self.is_piped else int(self._file.tell())

    def blocks(self) -> Iterator[Block]:
        """Every block; a capture that is no capture raises ``InputError``, one that breaks off sets ``fault``."""
        self._fill()
        magic = bytes(self._buffer[: min(4, self._end)])
        if not magic and self.fault is None:
            raise InputError(self.name, "is empty", "give a pcap or pcapng file")
        if magic in PCAP_MAGIC:
            yield from self._pcap(*PCAP_MAGIC[magic])
        elif magic == PCAPNG_MAGIC:
            yield from self._pcapng()
        elif self.fault is None:
            raise InputError(
                f"{self.name} at 0", f"no capture starts with {magic.hex(' ')}", "give a pcap or pcapng file"
            )

    def _pcap(self, order: str, per_second: int) -> Iterator[Block]:
        if not self._need(24):
            self._stop("the pcap header is cut short")
            return
        snaplen, link = struct.unpack(order + "II", bytes(self._buffer[16:24]))
        trailer = (link >> 28 & 7) * 2 if link >> 26 & 1 else 0
        self.interfaces.add(None, link & 0xFFFF, snaplen=snaplen)
        self._start = 24
        while True:
            count, self._start, why = walk_pcap(
                self._buffer, self._start, self._end, order == ">", per_second, trailer, link & 0xFFFF, self._frames
            )
            if count:
                yield Block(self._buffer, self._frames, count)
            if why == BAD:
                return self._stop("a packet longer than any can be")
            if why == MORE and not self._more("packet"):
                return None

    def _pcapng(self) -> Iterator[Block]:
        order = self._section()
        tables = self._tables()
        while order:
            count, self._start, why = walk_pcapng(
                self._buffer, self._start, self._end, order == ">", self._before, *tables, self._frames
            )
            if count:
                yield Block(self._buffer, self._frames, count)
            if why == BAD:
                return self._stop("a block that contradicts itself")
            if why == MORE and not self._more("block"):
                return None
            if why == OTHER_BLOCK:
                order = self._metadata(order)
                tables = self._tables()
        return None

    def _tables(self) -> tuple[np.ndarray, ...]:
        seen = self.interfaces
        columns = (seen.links, seen.ticks, seen.offsets, seen.snaplens)
        return tuple(np.array(column[self._before :], np.int64) for column in columns)

    def _metadata(self, order: str) -> str:
        """Read the section or interface block at hand, skip another; the byte order from there on, empty at a fault."""
        kind, length = struct.unpack(order + "II", bytes(self._buffer[self._start : self._start + 8]))
        if kind == SECTION:
            return self._section()
        if kind != INTERFACE:
            return self._skip(length, order)
        if length % 4 or not 20 <= length <= MAX_METADATA_BLOCK or not self._need(length):
            self._stop("an interface block that is cut short or has a wrong length")
            return ""
        if len(self.interfaces.names) == MAX_INTERFACES:
            self._stop(f"more than {MAX_INTERFACES} interfaces")
            return ""
        if not self._closes(length, order):
            self._stop("an interface block that contradicts itself")
            return ""
        body = bytes(self._buffer[self._start + 8 : self._start + length - 4])
        link, _, snaplen = struct.unpack(order + "HHI", body[:8])
        options = dict(_options(order, body[8:]))
        resolution = options.get(IF_RESOLUTION, b"\x06")[:1] or b"\x06"
        offset = options.get(IF_OFFSET, b"").ljust(8, b"\0")[:8]
        name = options.get(IF_NAME, b"")[:MAX_INTERFACE_NAME].decode("utf-8", "replace").rstrip("\0")
        self.interfaces.add(
            name or None, link, _ticks(resolution[0]), _seconds(struct.unpack(order + "q", offset)[0]), snaplen
        )
        self._start += length
        return order

    def _section(self) -> str:
        """Read a section header, which sets the byte order; its interfaces are new ones."""
        if not self._need(16):
            self._stop("the section header is cut short")
            return ""
        head = bytes(self._buffer[self._start : self._start + 12])
        order = {b"\x1a\x2b\x3c\x4d": ">", b"\x4d\x3c\x2b\x1a": "<"}.get(head[8:12], "")
        length = struct.unpack((order or "<") + "I", head[4:8])[0]
        if not order or length % 4 or not 28 <= length <= MAX_METADATA_BLOCK or not self._need(length):
            self._stop("a section header that is cut short or contradicts itself")
            return ""
        if not self._closes(length, order):
            self._stop("a section header that contradicts itself")
            return ""
        self._start += length
        self._before = len(self.interfaces.names)
        return order

    def _closes(self, length: int, order: str) -> bool:
        """Whether the block at hand ends with its length, as it began."""
        end = self._start + length
        return bool(struct.unpack(order + "I", bytes(self._buffer[end - 4 : end])) == (length,))

    def _skip(self, length: int, order: str) -> str:
        """Leave out a block that may be longer than the buffer."""
        while length and (self._start < self._end or self._more("block")):
            step = min(length, self._end - self._start)
            self._start += step
            length -= step
        return "" if length else order

    def _need(self, size: int) -> bool:
        """Have ``size`` bytes at hand, if there are so many."""
        while self._end - self._start < size and not self._ended:
            self._fill()
        return self._end - self._start >= size

    def _more(self, what: str) -> bool:
        """Read on; at the end of the input say whether something was cut off."""
        if self._ended:
            if self._end > self._start and self.fault is None:
                self._stop(f"the last {what} is cut short")
            return False
        self._fill()
        return True

    def _fill(self) -> None:
        rest = self._end - self._start
        self._buffer[:rest] = self._buffer[self._start : self._end]
        self._start, self._end = 0, rest
        try:
            got = self._stream.readinto(self._buffer[rest : rest + BLOCK])
        except (OSError, EOFError) as error:
            got = 0
            self._stop(f"cannot be read further ({error})")
        self._ended = not got
        self._end += got or 0
        self.size += got or 0

    def _stop(self, what: str) -> None:
        offset = self.size - (self._end - self._start)
        self.fault = self.fault or InputError(f"{self.name} at {offset}", what, "what came before was kept")


def _options(order: str, body: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 4 <= len(body):
        code, size = struct.unpack(order + "HH", body[at : at + 4])
        if code == IF_END:
            return
        yield code, body[at + 4 : at + 4 + size]
        at += 4 + (size + 3) // 4 * 4


def _ticks(resolution: int) -> int:
    """if_tsresol: a power of two where the top bit is set, else of ten; beyond 63 bits it is taken as µs."""
    exponent = resolution & 0x7F
    base, most = (2, 62) if resolution & 0x80 else (10, 18)
    return int(base**exponent) if exponent <= most else 1_000_000


def _seconds(offset: int) -> int:
    """if_tsoffset in µs; one that no clock has is left out."""
    return offset * 1_000_000 if abs(offset) < 1 << 33 else 0


def open_capture(path: str, stdin: BufferedReader) -> CaptureFile:
    """Open a file, or ``-`` for stdin. Raises ``InputError`` where it cannot be opened."""
    if path == "-":
        return CaptureFile("stdin", pa.PythonFile(stdin, mode="r"), stdin.peek(4)[:4], piped=True)
    try:
        with Path(path).open("rb") as file:
            head = file.read(4)
        return CaptureFile(path, pa.OSFile(path), head)
    except OSError as error:
        raise InputError(path, error.strerror or str(error)) from error


def _unpacked(stream: pa.NativeFile, head: bytes) -> pa.NativeFile:
    for magic, codec in COMPRESSION.items():
        if head.startswith(magic):
            stream = pa.CompressedInputStream(stream, codec)
    return stream
