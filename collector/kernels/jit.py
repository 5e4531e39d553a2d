"""How a function becomes a kernel, and how Python calls it.

Code is compiled by numba once and kept (``cache.py``). Where it is found, neither numba nor LLVM is imported: they and what numba
does before its first call took half of a start, and 140 MB.
"""

import os
from array import array
from collections.abc import Callable
from threading import Lock
from typing import Any, NamedTuple

import numpy as np

from collector.kernels.cache import Shape, find, is_filled, keep
from collector.kernels.linking import loaded

# _nrt=False: arrays are not reference-counted across inlined calls, six times faster; an allocation is a compile error.
OPTIONS = {"nogil": True, "boundscheck": True, "_nrt": False, "error_model": "numpy"}
COMPILED = os.environ.get("NUMBA_DISABLE_JIT", "0") in ("", "0")  # noqa: TID251 - kernels are made when they are imported
RESULTS = 4  # words before the arguments: how many values were returned, and these

Function = Callable[..., Any]


class Internal(NamedTuple):
    """A function that only kernels call: for Python it stays as it is."""

    function: Function
    options: dict[str, bool]


internals: list[Internal] = []
builtins: list[Function] = []


def kernel(function: Function) -> Function:
    internals.append(Internal(function, {}))
    return function


def inline(function: Function) -> Function:
    internals.append(Internal(function, {"forceinline": True}))
    return function


def builtin(function: Function) -> Function:
    """What LLVM does itself: its compiled form is in ``intrinsics``, this is the interpreted one."""
    builtins.append(function)
    return function


def entry(function: Function) -> Any:
    """What Python calls; the others are compiled into it."""
    return Entry(function) if COMPILED else function


@builtin
def prefetch(array, position, offset):
    """Ask the processor for the cache line ``offset`` octets into ``array[position]``; nothing to gain where it is interpreted."""


class Entry:
    """A kernel as Python calls it. Its code is loaded, or made, when arguments of new types come."""

    def __init__(self, function: Function) -> None:
        self.function = function
        self._loaded: dict[Shape, Function] = {}
        self._lock = Lock()

    def __call__(self, *arguments: Any) -> Any:
        words = array("q", bytes(8 * RESULTS))
        shape = tuple([lay_out(argument, words) for argument in arguments])
        code = self._loaded.get(shape) or self._load(shape, arguments)
        if code(words.buffer_info()[0]):
            raise IndexError(f"{self.function.__name__}: an index is out of bounds")
        count = words[0]
        return tuple(words[1 : 1 + count]) if count > 1 else words[1] if count else None

    def _load(self, shape: Shape, arguments: tuple[Any, ...]) -> Function:
        with self._lock:
            if shape not in self._loaded:
                self._loaded[shape] = loaded(self._code(shape, arguments))
            return self._loaded[shape]

    def _code(self, shape: Shape, arguments: tuple[Any, ...]) -> bytes:
        kept = find(self.function, shape, OPTIONS)
        if kept is not None:
            return kept
        from collector.kernels.compiling import compiled

        code = compiled(self.function, [value_of(argument) for argument in arguments])
        keep(code, self.function, shape, OPTIONS)
        return code


def is_compiled(entry: Any) -> bool:
    """Whether it need not be compiled first."""
    return not COMPILED or is_filled(entry.function, OPTIONS)


class LaidOut:
    """An argument for many calls, laid out once: a state of some fifty arrays takes as long as a thousand packets."""

    def __init__(self, value: Any) -> None:
        self.value = value
        self.words = array("q")
        self.shape = lay_out(value, self.words)


def laid_out(value: Any) -> Any:
    """The value for kernels; nothing to gain where they are interpreted."""
    return LaidOut(value) if COMPILED else value


def value_of(argument: Any) -> Any:
    return argument.value if isinstance(argument, LaidOut) else argument


def lay_out(value: Any, words: "array[int]") -> Shape:
    """Append the value as compiled code holds it in memory (an array: no owner, its sizes, where it is), and say what it is."""
    if isinstance(value, LaidOut):
        words.extend(value.words)
        return value.shape
    if isinstance(value, np.ndarray):
        words.extend((0, 0, value.size, value.itemsize, value.ctypes.data, *value.shape, *value.strides))
        return value.dtype, value.ndim, value.flags.c_contiguous, value.flags.aligned, value.flags.writeable
    if isinstance(value, tuple):
        return type(value), *[lay_out(member, words) for member in value]
    if not isinstance(value, bool | int | np.bool_ | np.int64):
        raise TypeError(f"a kernel takes arrays, int and bool, not {type(value).__name__}")
    words.append(int(value))
    return (bool,) if isinstance(value, bool | np.bool_) else (int,)
