"""How Python calls a kernel: what goes in, what comes out, and where its code comes from."""

import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from numba.core.errors import NumbaError

from collector.kernels import compiling, jit
from collector.kernels.jit import COMPILED, LaidOut, entry, kernel, laid_out

ROOT = Path(__file__).parents[3]
CASES = np.array([7, 5, 3])
compiled_only = pytest.mark.skipif(not COMPILED, reason="there is no code where kernels are interpreted")


class Pair(NamedTuple):
    first: np.ndarray
    second: np.ndarray


@kernel
def at(array, position):  # type: ignore[no-untyped-def]
    return array[position]


@entry
def add(pair, position, negative):  # type: ignore[no-untyped-def]
    """(sum, difference); CASES is part of the code."""
    total = at(pair.first, position) + at(pair.second, position) + CASES[position]
    return -total if negative else total, at(pair.first, position) - at(pair.second, position)


@entry
def fill(array, value):  # type: ignore[no-untyped-def]
    for position in range(array.size):
        array[position] = value


@entry
def corner(table):  # type: ignore[no-untyped-def]
    return table[table.shape[0] - 1, table.shape[1] - 1]


@entry
def allocate(size):  # type: ignore[no-untyped-def]
    return np.zeros(size).size


@entry
def half(value):  # type: ignore[no-untyped-def]
    return value / 2


PAIR = Pair(np.array([10, 20, 30]), np.array([1, 2, -(1 << 40)]))


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("TAILRACE_CACHE", str(tmp_path))
    return tmp_path


def fresh(function: Any) -> Any:
    """The same kernel as in a new process."""
    return jit.Entry(function.function)


def objects(cache: Path) -> list[Path]:
    return sorted(cache.rglob("*.code"))


@pytest.mark.parametrize("pair", [PAIR, laid_out(PAIR)], ids=["as it is", "laid out"])
def test_tuples_integers_and_bools_go_in_and_integers_come_out(pair: Any) -> None:
    if COMPILED or isinstance(pair, Pair):
        assert add(pair, 0, False) == (18, 9)
        assert add(pair, np.int64(2), True) == ((1 << 40) - 33, (1 << 40) + 30)


def test_none_comes_out() -> None:
    array = np.zeros(3, np.int32)
    assert fill(array, -2) is None
    assert array.tolist() == [-2, -2, -2]


def test_code_is_made_for_each_kind_of_array() -> None:
    wide, strided, narrow = np.zeros(4), np.zeros(8, np.int64)[::2], np.zeros(2, np.uint8)
    for array in (wide, strided, narrow):
        fill(array, 5)
        assert array.tolist() == [5] * array.size
    assert corner(np.arange(12).reshape(3, 4)) == 11
    assert corner(np.arange(12).reshape(3, 4).T) == 11


def test_an_index_out_of_bounds_raises() -> None:
    with pytest.raises(IndexError):
        add(PAIR, 3, False)


@compiled_only
def test_what_is_no_argument_is_refused() -> None:
    for value in (1.5, "1", np.uint64(1), None, [1]):
        with pytest.raises(TypeError):
            fill(np.zeros(1), value)
    with pytest.raises(TypeError, match="integers"):
        half(3)


@compiled_only
def test_arrays_that_may_not_be_written_are_not() -> None:
    array = np.zeros(2)
    array.flags.writeable = False
    with pytest.raises(NumbaError):
        fill(array, 1)


@compiled_only
def test_an_allocation_is_a_compile_error() -> None:
    with pytest.raises(NumbaError):
        allocate(4)


@compiled_only
def test_code_is_kept_for_the_next_process(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert fresh(add)(PAIR, 1, False) == (27, 18)
    (kept,) = objects(cache)
    monkeypatch.setattr(compiling, "compiled", None)
    assert fresh(add)(PAIR, 1, False) == (27, 18)
    assert fresh(add)(LaidOut(PAIR), 1, True) == (-27, 18)


@compiled_only
@pytest.mark.parametrize("damage", [b"", b"short", None], ids=["empty", "cut", "changed"])
def test_damaged_code_is_made_again(cache: Path, damage: bytes | None) -> None:
    fresh(add)(PAIR, 1, False)
    (kept,) = objects(cache)
    whole = kept.read_bytes()
    middle = len(whole) // 2
    kept.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :] if damage is None else damage)
    assert fresh(add)(PAIR, 1, False) == (27, 18)
    assert kept.read_bytes() == whole


@compiled_only
@pytest.mark.parametrize(("mode", "owner"), [(0o666, 0), (0o664, 0), (0o644, 23456)], ids=["all", "group", "stranger"])
def test_code_that_somebody_else_can_have_written_is_not_run(
    cache: Path, monkeypatch: pytest.MonkeyPatch, mode: int, owner: int
) -> None:
    fresh(add)(PAIR, 1, False)
    (kept,) = objects(cache)
    monkeypatch.setattr(compiling, "compiled", lambda *_: pytest.fail("compiled again"))
    assert fresh(add)(PAIR, 1, False) == (27, 18)
    kept.chmod(mode)
    if owner:
        chown_or_skip(kept, owner)
    with pytest.raises(pytest.fail.Exception, match="compiled again"):
        fresh(add)(PAIR, 1, False)


def chown_or_skip(path: Path, owner: int) -> None:
    try:
        os.chown(path, owner, -1)
    except PermissionError:
        pytest.skip("only root gives files away")


@compiled_only
def test_nowhere_to_keep_code(cache: Path) -> None:
    (cache / "kernels").write_text("in the way")
    assert fresh(add)(PAIR, 1, False) == (27, 18)


@compiled_only
def test_numba_is_imported_to_compile_only(tmp_path: Path) -> None:
    program = """
import sys
import numpy as np
from collector.kernels.spelling import PLACE, gather
text, offsets, places = np.zeros(8, np.uint8), np.zeros(2, np.int32), np.zeros(1, PLACE)
places["octets"] = 1
gather(np.full(8, 65, np.uint8), places.view(np.recarray), text, offsets)
assert offsets.tolist() == [0, 1]
print("numba" in sys.modules, "llvmlite" in sys.modules)
"""
    environment = {"TAILRACE_CACHE": str(tmp_path), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-W", "error", "-c", program]
    runs = [subprocess.run(command, check=True, capture_output=True, text=True, env=environment) for _ in range(2)]
    assert [done.stdout for done in runs] == [
        "True True\n",
        "False False\n" if platform.machine() == "x86_64" else "False True\n",
    ]
