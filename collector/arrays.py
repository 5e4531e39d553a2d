"""Arrow arrays in the memory that kernels wrote, and where nothing writes again; text is copied once, to its length.

``pa.array``, ``pa.scalar`` and ``cast`` would import pandas where it is installed, and ``pyarrow.compute``.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from collector.kernels.load import WORD_OCTETS
from collector.kernels.spelling import (
    NUMBERED,
    OCTET_TEXT,
    Words,
    gather,
    spell,
    write_addresses,
    write_protocols,
    write_server_names,
)
from collector.kernels.text import ADDRESS_TEXT
from contract.columns import FLAG, TEXT, TEXTS, TIME

NUMBERS = {pa.int16(): np.int16, pa.int32(): np.int32, pa.int64(): np.int64, TIME: np.int64, FLAG: np.int8}
CODE = np.dtype(np.int32)
LARGEST_NUMBER = 5  # digits of a code without a word
MAX_TEXT = np.iinfo(np.int32).max


def words(known: Mapping[int, str], prefix: str = "", hexadecimal: bool = False) -> Words:
    """``known`` by code; what it lacks is the prefix and the number."""
    texts = [text.encode() for text in (prefix, *known.values())]
    place = np.full(max(known, default=-1) + 1, NUMBERED, np.int32)
    place[list(known)] = np.arange(1, len(texts))
    padded = [text.ljust(_whole(len(text))) for text in texts]
    start = np.cumsum([0, *map(len, padded)])[:-1]
    size = np.array([len(text) for text in texts])
    return Words(place, start, size, np.frombuffer(b"".join(padded), np.uint8), hexadecimal)


def in_order(known: Sequence[str]) -> Words:
    return words(dict(enumerate(known)))


def number_array(values: np.ndarray, field: pa.Field, known: np.ndarray | None = None) -> pa.Array:
    """Where it is not said which are ``known``, those below zero are not."""
    data = _bits(values > 0) if field.type == FLAG else pa.py_buffer(values)
    valid = _validity(values >= 0 if known is None else known) if field.nullable else None
    return pa.Array.from_buffers(field.type, values.size, [valid, data])


def word_array(codes: np.ndarray, known: Words) -> pa.Array:
    text, offsets = _room(codes.size * _whole(int(known.size.max()) + LARGEST_NUMBER), codes.size)
    spell(codes, known, text, offsets)
    return _texts(offsets, text, codes >= 0)


def address_array(addresses: np.ndarray) -> pa.Array:
    text, offsets = _room(addresses.size * ADDRESS_TEXT, addresses.size)
    write_addresses(addresses, text, offsets)
    return _texts(offsets, text, addresses["kind"] >= 0)


def place_array(places: np.ndarray, arena: np.ndarray) -> pa.Array:
    sizes = places["octets"]
    text, offsets = _room(_octets(sizes), places.size)
    gather(arena, places, text, offsets)
    return _texts(offsets, text, sizes >= 0)


def server_name_array(rows: np.ndarray, hellos: np.ndarray, used: np.ndarray) -> pa.Array:
    text, offsets = _room(OCTET_TEXT * _octets(hellos["sni_size"][used]), rows.size)
    write_server_names(rows, hellos, text, offsets)
    return _texts(offsets, text, np.diff(offsets) > 0)


def protocols_array(rows: np.ndarray, hellos: np.ndarray, used: np.ndarray) -> pa.Array:
    """The lists of ALPN; the shortest protocol is the octet of its length."""
    octets = _octets(hellos["alpn_size"][used])
    text, offsets = _room(OCTET_TEXT * octets, octets)
    lists = np.empty(rows.size + 1, np.int32)
    write_protocols(rows, hellos, text, offsets, lists)
    protocols = _texts(offsets[: lists[-1] + 1], text, None)
    return list_array(TEXTS, lists, protocols, np.diff(lists) > 0)


def text_array(texts: Sequence[str | None]) -> pa.Array:
    octets = [(text or "").encode() for text in texts]
    text, offsets = _room(sum(map(len, octets)), len(texts))
    offsets[0] = 0
    np.cumsum([len(one) for one in octets], out=offsets[1:])
    text[: offsets[-1]] = np.frombuffer(b"".join(octets), np.uint8)
    return _texts(offsets, text, np.array([text is not None for text in texts], bool))


def same_text_array(text: str | None, size: int) -> pa.Array:
    if text is None:
        return pa.nulls(size, TEXT)
    octets = np.frombuffer(text.encode(), np.uint8)
    room, offsets = _room(octets.size * size, size)
    room[: octets.size * size].reshape(size, octets.size)[:] = octets
    offsets[:] = octets.size * np.arange(size + 1)
    return _texts(offsets, room, None)


def list_array(kind: pa.DataType, offsets: np.ndarray, items: pa.Array, known: np.ndarray | None) -> pa.Array:
    buffers = [_validity(known), pa.py_buffer(offsets)]
    return pa.Array.from_buffers(kind, offsets.size - 1, buffers, children=[items])


def _octets(sizes: np.ndarray) -> int:
    """All together; one below zero says that there is none."""
    return int(sizes.sum(where=sizes > 0))


def _room(octets: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Memory for text and offsets of so many rows."""
    if octets > MAX_TEXT:
        raise OverflowError(f"{octets:,} octets of text in one batch are more than an Arrow offset can tell")
    return np.empty(octets + WORD_OCTETS, np.uint8), np.empty(rows + 1, np.int32)


def _texts(offsets: np.ndarray, text: np.ndarray, known: np.ndarray | None) -> pa.Array:
    buffers = [_validity(known), pa.py_buffer(offsets), pa.py_buffer(text[: offsets[-1]].copy())]
    return pa.Array.from_buffers(TEXT, offsets.size - 1, buffers)


def _validity(known: np.ndarray | None) -> pa.Buffer | None:
    """None where nothing is NULL."""
    return None if known is None or known.all() else _bits(known)


def _bits(flags: np.ndarray) -> pa.Buffer:
    return pa.py_buffer(np.packbits(flags, bitorder="little"))


def _whole(octets: int) -> int:
    """Room that is read and written by words."""
    return -(-octets // WORD_OCTETS) * WORD_OCTETS
