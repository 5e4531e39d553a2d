"""Where compiled code is kept: one file for an entry and the kind of its arguments.

It is found again by a hash of every kernel source, the options, the versions, the processor and what the arguments are, so that
an edit anywhere is compiled anew. A file that is damaged, or that somebody else could have written, is as good as none.
"""

import hashlib
import os
import platform
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from threading import get_ident
from typing import Any

import numpy as np

Shape = tuple[Any, ...]  # of arguments: what decides which code they need
VERSIONS = {"numba": "_version.py", "llvmlite": "_version.py", "numpy": "version.py"}
DIGEST = 32  # octets before the code: what it must hash to
CPU_FILE = Path("/proc/cpuinfo")
ANY_PROCESSOR = "generic"  # as numba's setting: code for every processor of this kind, such as an image brings along
CPU_FIELDS = ("vendor_id", "cpu family", "model", "stepping", "flags", "CPU ", "Features")
CPU_INFO = 1 << 14  # octets: more than the first processor has
SUFFIX = ".code"
OWN_FILE, WRITABLE_BY_OTHERS = 0o644, 0o022


def find(function: Callable[..., Any], shape: Shape, options: Mapping[str, object]) -> bytes | None:
    """What is kept, if it is whole and nobody else can have written it."""
    with suppress(OSError, RuntimeError), _path(function, shape, options).open("rb") as file:
        found, kept = os.fstat(file.fileno()), file.read()
        own = found.st_uid in (0, os.geteuid()) and not found.st_mode & WRITABLE_BY_OTHERS
        if own and hashlib.sha256(kept[DIGEST:]).digest() == kept[:DIGEST]:
            return kept[DIGEST:]
    return None


def keep(code: bytes, function: Callable[..., Any], shape: Shape, options: Mapping[str, object]) -> None:
    """For the next process, whole or not at all; where nothing can be written, that one compiles again."""
    with suppress(OSError, RuntimeError):
        path = _path(function, shape, options)
        part = path.with_suffix(f".{os.getpid()}-{get_ident()}")
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(hashlib.sha256(code).digest() + code)
        part.chmod(OWN_FILE)
        part.replace(path)


def is_filled(function: Callable[..., Any], options: Mapping[str, object]) -> bool:
    """Whether there is code of this entry, for some arguments."""
    with suppress(OSError, RuntimeError):
        return any(cache_folder(options).glob(f"{_name(function)}-*{SUFFIX}"))
    return False


def cache_folder(options: Mapping[str, object]) -> Path:
    """The folder for this very code: ``TAILRACE_CACHE``, else the user's cache folder."""
    base = os.environ.get("TAILRACE_CACHE")  # noqa: TID251 - wanted by the first kernel, which has no settings
    root = Path(base) if base else Path("~/.cache/tailrace").expanduser()
    digest = hashlib.sha256(repr(sorted(options.items())).encode())
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    for package in VERSIONS:
        digest.update(_version(package))
    digest.update(f"{platform.python_version()} {_processor()}".encode())
    return root / "kernels" / digest.hexdigest()[:16]


def _version(package: str) -> bytes:
    """What says which version is installed, without an import of the package."""
    found = find_spec(package)
    return (Path(found.origin).parent / VERSIONS[package]).read_bytes() if found and found.origin else b""


def _processor() -> str:
    """What code is made for: this processor, and what numba is told of it and of everything else."""
    told = sorted(f"{name}={value}" for name, value in os.environ.items() if name.startswith("NUMBA_"))  # noqa: TID251 - numba's own
    this = [] if f"NUMBA_CPU_NAME={ANY_PROCESSOR}" in told else _this_processor()
    return "\n".join([*told, *this, platform.machine()])


def _this_processor() -> list[str]:
    try:
        with CPU_FILE.open() as file:
            first = file.read(CPU_INFO).partition("\n\n")[0]
    except OSError:
        first = ""
    return [*(line for line in first.splitlines() if line.startswith(CPU_FIELDS)), platform.processor()]


def _path(function: Callable[..., Any], shape: Shape, options: Mapping[str, object]) -> Path:
    """The source is hashed apart, as an entry may be defined outside this package."""
    source = Path(function.__code__.co_filename).read_bytes()
    digest = hashlib.sha256(source + _described(shape).encode())
    return cache_folder(options) / f"{_name(function)}-{digest.hexdigest()[:16]}{SUFFIX}"


def _name(function: Callable[..., Any]) -> str:
    return f"{function.__module__}.{function.__name__}"


def _described(shape: Any) -> str:
    if isinstance(shape, tuple):
        return f"({' '.join(map(_described, shape))})"
    return _described_type(shape) if isinstance(shape, np.dtype) else str(shape)


@cache
def _described_type(dtype: np.dtype[Any]) -> str:
    return repr(dtype)
