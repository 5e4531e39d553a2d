"""What becomes an Arrow array, and what is NULL in it."""

import subprocess
import sys
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from collector.arrays import (
    CODE,
    address_array,
    in_order,
    list_array,
    number_array,
    place_array,
    same_text_array,
    text_array,
    word_array,
    words,
)
from collector.kernels.load import WORD_OCTETS
from collector.kernels.spelling import ADDRESS, IPV6, MAPPED_IS_IPV4, NO_ADDRESS, PLACE
from contract.columns import COUNT, FLAG, TEXTS, TIME

ROOT = Path(__file__).parents[3]


def records(rows: list[tuple[int, ...]], kind: np.dtype) -> np.ndarray:
    return np.array(rows, kind).view(np.recarray)


@pytest.mark.parametrize("kind", [pa.int16(), pa.int32(), COUNT, TIME, FLAG], ids=str)
def test_a_number_below_zero_is_null_where_there_may_be_nulls(kind: pa.DataType) -> None:
    width = np.int8 if kind == FLAG else kind.bit_width // 8
    values = np.array([0, -1, 1] * 5, width if kind == FLAG else f"i{width}")
    array = number_array(values, pa.field("n", kind))
    array.validate(full=True)
    assert array.is_null().to_pylist() == [False, True, False] * 5
    assert array.cast(pa.int64() if kind != FLAG else FLAG)[2].as_py() == 1
    assert number_array(values, pa.field("n", kind, nullable=False)).null_count == 0


def test_words_and_numbers_without_one() -> None:
    codes = np.array([2, -1, 0, 7, 65535], CODE)
    array = word_array(codes, words({2: "a word of more than eight octets", 7: ""}, "TYPE"))
    assert array.to_pylist() == ["a word of more than eight octets", None, "TYPE0", "", "TYPE65535"]
    hexadecimal = word_array(np.array([0xABCD, 0x0304], CODE), words({0x0304: "TLS 1.3"}, "0x", hexadecimal=True))
    assert hexadecimal.to_pylist() == ["0xabcd", "TLS 1.3"]
    assert word_array(np.array([1, 0], CODE), in_order(["é", ""])).to_pylist() == ["", "é"]


def test_every_octet_of_an_ipv4_address() -> None:
    numbers = [octet << shift for octet in range(256) for shift in (0, 8, 16, 24)] + [0xFFFFFFFF]
    array = address_array(records([(0, 0xFFFF << 32 | number, int(MAPPED_IS_IPV4)) for number in numbers], ADDRESS))
    assert array.to_pylist() == [str(IPv4Address(number)) for number in numbers]


def test_kinds_of_addresses() -> None:
    mapped = 0xFFFF << 32 | 0x01020304
    low = 2**64 - 1
    rows = [(0, mapped, IPV6), (0, 1, NO_ADDRESS), (1 << 48, 0, MAPPED_IS_IPV4), (low, low, IPV6)]
    array = address_array(records([(high, low, int(kind)) for high, low, kind in rows], ADDRESS))
    assert array.to_pylist() == ["::ffff:1.2.3.4", None, "1::", str(IPv6Address(2**128 - 1))]


def test_places_of_an_arena_are_copied_to_the_octet() -> None:
    arena = np.frombuffer(bytes(range(65, 65 + 34)) + bytes(WORD_OCTETS), np.uint8)
    sizes = [0, 1, 7, 8, 9, 15, 16, 17, -1]
    array = place_array(records([(size, size) if size > 0 else (0, size) for size in sizes], PLACE), arena)
    whole = bytes(arena).decode()
    assert array.to_pylist() == [whole[size : 2 * size] if size > 0 else "" for size in sizes[:-1]] + [None]


def test_a_place_outside_the_arena_raises() -> None:
    arena = np.zeros(64, np.uint8)
    for at in (64, -1):
        with pytest.raises((IndexError, ValueError)):
            place_array(records([(at, 4)], PLACE), arena)


def test_texts_and_lists() -> None:
    assert text_array(["a", None, "", "é"]).to_pylist() == ["a", None, "", "é"]
    assert text_array([]).to_pylist() == []
    assert same_text_array("é", 3).to_pylist() == ["é"] * 3
    assert same_text_array("", 2).to_pylist() == ["", ""]
    assert same_text_array(None, 2).to_pylist() == [None, None]
    lists = list_array(TEXTS, np.array([0, 2, 2, 2], np.int32), text_array(["a", "b"]), np.array([True, False, True]))
    lists.validate(full=True)
    assert lists.to_pylist() == [["a", "b"], None, []]


def test_more_text_than_an_offset_can_tell_is_refused() -> None:
    with pytest.raises(OverflowError, match="offset"):
        same_text_array("x" * 70_000, 1 << 15)


def test_collecting_imports_neither_pandas_nor_arrow_compute(tmp_path: Path) -> None:
    program = f"""
import sys
from pathlib import Path
from benchmarks.subject import convert
assert convert({str(ROOT / "samples/shop/node-1.pcapng.gz")!r}, Path({str(tmp_path)!r}))["flows"]
assert not {{"pandas", "pyarrow.compute"}} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-W", "error", "-c", program], cwd=ROOT, check=True, timeout=600)
