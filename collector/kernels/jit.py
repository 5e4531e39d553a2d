"""How kernels are compiled, and where the compiled code is kept.

numba keys its cache by the one file that defines a function, not by what was inlined from others nor by the options:
after an
edit elsewhere it would serve old code. So the cache folder carries a hash of every kernel source, the options and the
versions.
"""

import hashlib
import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numba
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

# _nrt=False: arrays are not reference-counted across inlined calls, six times faster; an allocation is a compile error.
OPTIONS = {"nogil": True, "cache": True, "boundscheck": True, "_nrt": False, "error_model": "numpy"}


def cache_folder() -> Path:
    """The folder for this very code: ``TAILRACE_CACHE``, else the user's cache folder."""
    base = os.environ.get("TAILRACE_CACHE")  # noqa: TID251 - numba wants its folder before any verb has read its settings
    root = Path(base) if base else Path("~/.cache/tailrace").expanduser()
    digest = hashlib.sha256(repr(sorted(OPTIONS.items())).encode())
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    for package in ("numba", "llvmlite", "numpy"):
        digest.update(version(package).encode())
    digest.update(platform.python_version().encode())
    return root / "kernels" / digest.hexdigest()[:16]


config: Any = numba.config
config.CACHE_DIR = str(cache_folder())
COMPILED = not config.DISABLE_JIT

compiled: Any = njit  # its declared overloads do not know _nrt
# What Python calls is an ``entry``; the others have no wrapper for it, whose code takes as long to compile as their own.
INTERNAL = OPTIONS | {"cache": False, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
entry = compiled(**OPTIONS)
kernel = compiled(**INTERNAL)
inline = compiled(**INTERNAL, forceinline=True)


@intrinsic
def _prefetch(typing_context, array, position, offset):
    """Ask the processor for the cache line ``offset`` octets into ``array[position]``; no effect on results."""

    def generate(context, builder, signature, arguments):
        view = context.make_array(signature.args[0])(context, builder, arguments[0])
        byte = ir.PointerType(ir.IntType(8))
        item = builder.gep(builder.bitcast(builder.gep(view.data, [arguments[1]]), byte), [arguments[2]])
        word = ir.IntType(32)
        declared = builder.module.declare_intrinsic(
            "llvm.prefetch.p0", fnty=ir.FunctionType(ir.VoidType(), [byte, word, word, word])
        )
        builder.call(declared, [item, word(1), word(3), word(1)])
        return context.get_dummy_value()

    return types.void(array, position, offset), generate


@inline
def _fetch(array, position, offset):
    _prefetch(array, position, offset)


def _nothing(array, position, offset):
    """Nothing to gain where the kernels are interpreted."""


prefetch: Any = _fetch if COMPILED else _nothing
