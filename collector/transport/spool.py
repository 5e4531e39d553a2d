"""Messages on disk until Kafka has them: files of appended records, each with its checksum.

What was appended outlives a kill -9 of the process. It is not forced to the disk: what a node had in memory when its power failed
is lost with the rest of its memory.
"""

import fcntl
import json
import os
import struct
import zlib
from array import array
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from contract.errors import MachineError
from contract.wire import MAX_VALUE, Header

SEGMENT_BYTES = 8 << 20  # a file is ended beyond; what Kafka has leaves the disk by whole files
LEAST_SEGMENTS = 8  # that the limit has room for: whole files are given up, and others should be left then
MAX_HEADERS = 4096  # octets of a record's headers; more of them are the mark of a damaged file

_HEAD = struct.Struct("<IIII")  # octets of headers and of value, rows, checksum of these three, headers and value
_LENGTHS = struct.Struct("<III")
_MARK = struct.Struct("<QI")


class Stored(NamedTuple):
    headers: list[Header]
    value: bytes
    rows: int


class Segment:
    """One file; its name is the index of its first record."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.first = int(path.stem)
        self.offsets = array("Q")
        self.rows = array("L")
        self.size = 0

    @property
    def end(self) -> int:
        """The index after its last record."""
        return self.first + len(self.offsets)

    def add(self, rows: int, size: int) -> None:
        self.offsets.append(self.size)
        self.rows.append(rows)
        self.size += size


class DiskSpool:
    """Records in the order of their index, from ``mark`` (what is before is done with) to ``end``; at most ``limit`` octets.

    Not thread-safe: whoever shares it locks.
    """

    def __init__(self, folder: Path, limit: int, segment_bytes: int = SEGMENT_BYTES) -> None:
        self.folder = folder
        self._segment_bytes = segment_bytes
        self.limit = max(limit, LEAST_SEGMENTS * segment_bytes)
        with self._translated():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self._take()
            self._mark_file = os.open(folder / "mark", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self._segments = deque(_segments(folder))
            self.mark = max(self._read_mark(), self._segments[0].first if self._segments else 0)
            self._file = self._begin(max(self.mark, self._segments[-1].end if self._segments else 0))
            self._sweep()

    @property
    def end(self) -> int:
        return self._segments[-1].end

    @property
    def waiting(self) -> int:
        return self.end - self.mark

    @property
    def size(self) -> int:
        return sum(segment.size for segment in self._segments)

    def append(self, headers: list[Header], value: bytes, rows: int) -> int:
        """The index of the new record; raises ``MachineError`` and leaves all as it was where it cannot be written."""
        if self._segments[-1].size >= self._segment_bytes:
            self._rotate()
        packed = _packed(headers)
        lengths = _LENGTHS.pack(len(packed), len(value), rows)
        checksum = zlib.crc32(value, zlib.crc32(packed, zlib.crc32(lengths)))
        record = b"".join((lengths, struct.pack("<I", checksum), packed, value))
        segment = self._segments[-1]
        with self._translated():
            try:
                _write(self._file, record)
            except OSError:
                os.ftruncate(self._file, segment.size)
                raise
        segment.add(rows, len(record))
        return segment.end - 1

    def is_full(self, size: int) -> bool:
        """Whether a value of ``size`` octets goes beyond the limit."""
        return self.size + size + MAX_HEADERS > self.limit

    def read(self, index: int) -> Stored | None:
        """None where the record was given up, or is damaged."""
        segment = self._segment_of(index)
        if segment is None:
            return None
        place = index - segment.first
        until = segment.offsets[place + 1] if place + 1 < len(segment.offsets) else segment.size
        with self._translated(), segment.path.open("rb") as file:
            file.seek(segment.offsets[place])
            return _unpacked(file.read(until - segment.offsets[place]))

    def rows(self, index: int) -> int:
        """As its record says; 0 of a record that was given up."""
        segment = self._segment_of(index)
        return segment.rows[index - segment.first] if segment else 0

    def done(self, mark: int) -> None:
        """Nobody asks again for what is before ``mark``."""
        self.mark = max(self.mark, mark)
        content = struct.pack("<Q", self.mark)
        with self._translated():
            os.pwrite(self._mark_file, _MARK.pack(self.mark, zlib.crc32(content)), 0)
            self._sweep()

    def give_up_oldest(self) -> dict[int, int]:
        """Index and rows of what was not done with in the oldest file, which is gone now."""
        with self._translated():
            if len(self._segments) == 1:
                self._rotate()
            segment = self._segments[0]
            lost = {
                index: segment.rows[index - segment.first]
                for index in range(max(self.mark, segment.first), segment.end)
            }
            self.done(segment.end)
        return lost

    def close(self) -> None:
        for file in (self._file, self._mark_file, self._lock):
            os.close(file)

    def _take(self) -> None:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise MachineError(f"{self.folder}: another process has this spool; give each its own") from error

    def _rotate(self) -> None:
        with self._translated():
            file = self._begin(self.end)
            os.close(self._file)
            self._file = file

    def _begin(self, first: int) -> int:
        """A new file, also after a start: nothing is appended to one whose end may be torn."""
        path = self.folder / f"{first:020d}.spool"
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o600)
        if self._segments and self._segments[-1].first == first:
            self._segments.pop()
        self._segments.append(Segment(path))
        return file

    def _sweep(self) -> None:
        while len(self._segments) > 1 and self._segments[0].end <= self.mark:
            self._segments.popleft().path.unlink(missing_ok=True)

    def _segment_of(self, index: int) -> Segment | None:
        return next((segment for segment in self._segments if segment.first <= index < segment.end), None)

    def _read_mark(self) -> int:
        content = os.pread(self._mark_file, _MARK.size, 0)
        if len(content) < _MARK.size:
            return 0
        mark, checksum = _MARK.unpack(content)
        return int(mark) if zlib.crc32(struct.pack("<Q", mark)) == checksum else 0

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise MachineError(
                f"{self.folder}: {error.strerror or error}; give a folder with room for the spool"
            ) from error


def _segments(folder: Path) -> Iterator[Segment]:
    """Those of an earlier run, up to where each is whole."""
    for path in sorted(path for path in folder.glob("*.spool") if path.stem.isdecimal()):
        segment = Segment(path)
        size = path.stat().st_size
        with path.open("rb") as file:
            while len(head := file.read(_HEAD.size)) == _HEAD.size:
                headers, value, rows, _ = _HEAD.unpack(head)
                length = _HEAD.size + headers + value
                if not 0 < headers <= MAX_HEADERS or value > MAX_VALUE or segment.size + length > size:
                    break
                segment.add(rows, length)
                file.seek(segment.size)
        yield segment


def _packed(headers: list[Header]) -> bytes:
    return json.dumps([(name, value.decode()) for name, value in headers]).encode()


def _unpacked(record: bytes) -> Stored | None:
    length, _, rows, checksum = _HEAD.unpack_from(record)
    if zlib.crc32(record[_HEAD.size :], zlib.crc32(record[: _LENGTHS.size])) != checksum:
        return None
    packed, value = record[_HEAD.size : _HEAD.size + length], record[_HEAD.size + length :]
    return Stored([(name, text.encode()) for name, text in json.loads(packed)], value, rows)


def _write(file: int, record: bytes) -> None:
    rest = memoryview(record)
    while rest:
        rest = rest[os.write(file, rest) :]
