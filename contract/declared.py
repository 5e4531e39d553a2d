"""How much memory a record batch of an Arrow IPC stream asks for, read before any of it is decompressed.

Arrow allocates what each compressed buffer declares in its first eight octets, which whoever sent the message chose. pyarrow
tells the metadata (a FlatBuffer, see format/Message.fbs of Apache Arrow) and the body; the buffers' places are in the former.
"""

import struct

from contract.errors import Refused, WireError

HEADER_TYPE, HEADER = 1, 2  # fields of the table Message
RECORD_BATCH = 3  # a value of its HEADER_TYPE
BUFFERS, COMPRESSION = 2, 3  # fields of the table RecordBatch
NOT_COMPRESSED = -1  # declared by a buffer that did not get smaller

MAX_BUFFERS = 4096


def declared_bytes(metadata: memoryview, body: memoryview) -> int:
    """Octets that the buffers will take; raises where they lie outside of the body or not where Arrow may read them."""
    batch = _record_batch(metadata)
    compressed = _field(metadata, batch, COMPRESSION) is not None
    return sum(
        _decompressed(body, offset, length) if compressed and length else length
        for offset, length in _buffers(metadata, batch, len(body))
    )


def _record_batch(metadata: memoryview) -> int:
    message = _unsigned(metadata, 0)
    kind, header = _field(metadata, message, HEADER_TYPE), _field(metadata, message, HEADER)
    if kind is None or header is None or metadata[kind] != RECORD_BATCH:
        raise WireError(Refused.NOT_ARROW, "no record batch where one should be")
    return header + _unsigned(metadata, header)


def _buffers(metadata: memoryview, batch: int, size: int) -> list[tuple[int, int]]:
    """(offset, length) of each in the body of ``size`` octets."""
    field = _field(metadata, batch, BUFFERS)
    if field is None:
        return []
    vector = field + _unsigned(metadata, field)
    count = _unsigned(metadata, vector)
    if count > MAX_BUFFERS:
        raise WireError(Refused.NOT_ARROW, f"{count} buffers")
    buffers = [_read("<qq", metadata, vector + 4 + 16 * i) for i in range(count)]
    for offset, length in buffers:
        if offset < 0 or length < 0 or offset % 8 or offset + length > size:
            raise WireError(Refused.NOT_ARROW, f"a buffer at {offset} of {length} octets in a body of {size}")
    return [(offset, length) for offset, length in buffers]


def _decompressed(body: memoryview, offset: int, length: int) -> int:
    (declared,) = _read("<q", body[offset : offset + length], 0)
    if declared == NOT_COMPRESSED:
        return length
    if declared < 0:
        raise WireError(Refused.NOT_ARROW, f"a buffer of {declared} octets")
    return declared


def _field(data: memoryview, table: int, number: int) -> int | None:
    """Where a field of a FlatBuffer's table lies; None where the table does not have it."""
    (to_vtable,) = _read("<i", data, table)
    vtable = table - to_vtable
    place = 4 + 2 * number
    (size,) = _read("<H", data, vtable)
    if place + 2 > size:
        return None
    (offset,) = _read("<H", data, vtable + place)
    return table + offset if offset else None


def _unsigned(data: memoryview, at: int) -> int:
    (value,) = _read("<I", data, at)
    return int(value)


def _read(form: str, data: memoryview, at: int) -> tuple[int, ...]:
    if at < 0 or at + struct.calcsize(form) > len(data):
        raise WireError(Refused.NOT_ARROW, "its metadata points outside of itself")
    return struct.unpack_from(form, data, at)
