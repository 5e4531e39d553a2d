"""Loads and stores of several octets: the same numbers compiled and interpreted, and nothing outside the array."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.kernels import hashing, jit, load
from collector.kernels.load import be16, be32, be64, copy, copy_words, le16, le32, le64, put64, u8

compiled_only = pytest.mark.skipif(not jit.COMPILED, reason="there is nothing but the interpreted form")
SIZE = 24
OCTETS = np.arange(0x80, 0x80 + SIZE, dtype=np.uint8)
MEMORY = np.arange(3 * SIZE, dtype=np.uint8)  # an array with neighbours that are not its own
LOADS = {"u8": 1, "be16": 2, "le16": 2, "be32": 4, "le32": 4, "be64": 8, "le64": 8}


@jit.entry
def load_all(data, at, number, out):
    if number == 0:
        out[0] = np.uint64(u8(data, at))
    elif number == 1:
        out[0] = np.uint64(be16(data, at))
    elif number == 2:
        out[0] = np.uint64(le16(data, at))
    elif number == 3:
        out[0] = np.uint64(be32(data, at))
    elif number == 4:
        out[0] = np.uint64(le32(data, at))
    elif number == 5:
        out[0] = be64(data, at)
    else:
        out[0] = le64(data, at)


@jit.entry
def put_one(data, at, words):
    put64(data, at, words[0])


@jit.entry
def copy_some(source, start, target, to, count, words):
    if words:
        copy_words(source, start, target, to, count)
    else:
        copy(source, start, target, to, count)


@jit.entry
def fold_one(words):
    words[2] = hashing.fold(words[0], words[1])


def loaded(name: str, at: int) -> int:
    out = np.zeros(1, np.uint64)
    load_all(OCTETS, at, list(LOADS).index(name), out)
    return int(out[0])


@pytest.mark.parametrize("name", LOADS)
def test_a_load_gives_what_its_octets_say(name: str) -> None:
    order = "little" if name.startswith("le") else "big"
    for at in range(SIZE - LOADS[name] + 1):
        wanted = int.from_bytes(OCTETS[at : at + LOADS[name]].tobytes(), order)  # type: ignore[arg-type]
        assert loaded(name, at) == int(getattr(load, name)(OCTETS, at)) == wanted


@pytest.mark.parametrize("name", LOADS)
def test_a_load_outside_the_array_raises(name: str) -> None:
    outside = [-(1 << 63), -LOADS[name], -1, SIZE - LOADS[name] + 1, SIZE, (1 << 63) - 1]
    for at in outside:
        with pytest.raises(IndexError):
            loaded(name, at)
        with pytest.raises(IndexError):
            getattr(load, name)(OCTETS, at)


def test_a_store_outside_the_array_changes_nothing() -> None:
    memory = MEMORY.copy()
    words = np.array([0x1122334455667788], np.uint64)
    for at in (-8, -1, SIZE - 7, SIZE, 1 << 62):
        with pytest.raises(IndexError):
            put_one(memory[SIZE : 2 * SIZE], at, words)
    assert (memory == MEMORY).all()
    put_one(memory[SIZE : 2 * SIZE], SIZE - 8, words)
    assert memory[2 * SIZE - 8 : 2 * SIZE].tolist() == [0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11]
    assert (memory[2 * SIZE :] == MEMORY[2 * SIZE :]).all()


@given(st.integers(0, SIZE), st.integers(0, SIZE), st.integers(0, SIZE), st.booleans())
def test_a_copy_is_the_same_octets_and_at_most_seven_more(start: int, to: int, count: int, words: bool) -> None:
    memory = np.zeros(2 * SIZE + 8, np.uint8)
    rest = SIZE - start
    if count > rest or (words and -(-count // 8) * 8 > rest):
        with pytest.raises(IndexError):
            copy_some(OCTETS, start, memory, to, count, words)
        return
    copy_some(OCTETS, start, memory, to, count, words)
    assert memory[to : to + count].tolist() == OCTETS[start : start + count].tolist()
    assert not memory[:to].any() and not memory[to + count + 7 :].any()


@given(st.integers(0, (1 << 64) - 1), st.integers(0, (1 << 64) - 1))
def test_a_fold_is_both_halves_of_the_product(first: int, second: int) -> None:
    words = np.array([first, second, 0], np.uint64)
    fold_one(words)
    wanted = (first * second ^ (first * second >> 64)) & ((1 << 64) - 1)
    assert int(words[2]) == int(hashing.fold(words[0], words[1])) == wanted


@compiled_only
@pytest.mark.parametrize(
    "data", [OCTETS[::-1], OCTETS[::2], OCTETS.view(np.int8)], ids=["turned", "every other", "signed"]
)
def test_only_octets_that_follow_each_other_are_read(data: np.ndarray) -> None:
    from numba.core.errors import TypingError

    with pytest.raises(TypingError, match="contiguous array of uint8"):
        load_all(data, 0, 0, np.zeros(1, np.uint64))


@compiled_only
def test_a_read_only_array_is_not_written() -> None:
    from numba.core.errors import TypingError

    with pytest.raises(TypingError, match="read-only"):
        put_one(np.frombuffer(bytes(16), np.uint8), 0, np.zeros(1, np.uint64))
