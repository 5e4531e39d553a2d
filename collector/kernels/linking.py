"""Compiled code to what Python calls.

An object file becomes an image that only has to be put into memory, as LLVM, whose linker would do it, takes 40 MB. A kernel's
code refers to itself and to functions of libc by absolute addresses of 8 octets, as numba's code model for x86-64 has it; what has
anything else stays an object file. ELF: https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html.
"""

import ctypes
import json
import mmap
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from contract.errors import MachineError

ENTRY = "tailrace_entry"  # the function that Python calls: takes where its words are, and returns whether it failed
Code = Callable[[int], int]

SECTION = np.dtype(
    [(name, "<u4") for name in ("name", "type")]
    + [(name, "<u8") for name in ("flags", "address", "offset", "size")]
    + [(name, "<u4") for name in ("link", "info")]
    + [(name, "<u8") for name in ("align", "entry_size")]
)
SYMBOL = np.dtype(
    [("name", "<u4"), ("info", "u1"), ("other", "u1"), ("section", "<u2"), ("value", "<u8"), ("size", "<u8")]
)
RELOCATION = np.dtype([("offset", "<u8"), ("type", "<u4"), ("symbol", "<u4"), ("addend", "<i8")])
X86_64, R_X86_64_64 = 62, 1
SYMTAB, RELA, REL = 2, 4, 9
OF_LIBC = {"memset", "memcpy", "memmove"}  # what LLVM makes of loops
WRITABLE, ALLOCATED = 1, 2
UNDEFINED, RESERVED = 0, 0xFF00
ELF, IMAGE = b"\x7fELF", b"{"  # how an object file and an image begin
LINE = 64  # sections begin at cache lines


class Image(NamedTuple):
    """``fixes`` are places in ``code`` where an address is to be added: of the image itself (""), or of a function of libc."""

    code: np.ndarray
    entry: int
    fixes: dict[str, np.ndarray]


def linked(data: bytes) -> bytes:
    """What to keep of an object file: its image, or itself where that takes more of a linker than this is."""
    image = image_of(data)
    if image is None:
        return data
    counts = {name: places.size for name, places in image.fixes.items()}
    head = json.dumps({"entry": image.entry, "fixes": counts}).encode()
    return b"\n".join([head, b"".join(places.tobytes() for places in image.fixes.values()) + image.code.tobytes()])


def loaded(kept: bytes) -> Code:
    """The entry of what ``linked`` made; other threads run while it does."""
    address = in_memory(unpacked(kept)) if kept.startswith(IMAGE) else with_llvm(kept)
    return ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p)(address)


def unpacked(kept: bytes) -> Image:
    head, _, rest = kept.partition(b"\n")
    told, at = json.loads(head), 0
    fixes = {}
    for name, count in told["fixes"].items():
        fixes[name] = np.frombuffer(rest, np.int64, count, at)
        at += 8 * count
    return Image(np.frombuffer(rest, np.uint8, offset=at), told["entry"], fixes)


def in_memory(image: Image) -> int:
    """Where the entry is, in pages of its own that are not written any more."""
    libc = ctypes.CDLL(None, use_errno=True)
    pages = mmap.mmap(-1, image.code.size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    code = np.frombuffer(pages, np.uint8)
    code[:] = image.code
    for name, places in image.fixes.items():
        address = ctypes.cast(libc[name], ctypes.c_void_p).value if name else code.ctypes.data
        octets = places[:, None] + np.arange(8)
        code[octets] = (code[octets].view(np.uint64) + np.uint64(address or 0)).view(np.uint8)
    if libc.mprotect(ctypes.c_void_p(code.ctypes.data), ctypes.c_size_t(code.size), mmap.PROT_READ | mmap.PROT_EXEC):
        raise MachineError(
            "the system does not let memory become code (MemoryDenyWriteExecute of systemd, execmem of SELinux);"
            " allow it for tailrace, or run without compiled code by NUMBA_DISABLE_JIT=1, a thousand times slower"
        )
    in_use.append(code)
    return code.ctypes.data + image.entry


def with_llvm(kept: bytes) -> int:
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    target = llvm.Target.from_default_triple().create_target_machine()
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), target)
    engine.add_object_file(llvm.ObjectFileRef.from_data(kept))
    engine.finalize_object()
    in_use.append(engine)
    return int(engine.get_function_address(ENTRY))


in_use: list[Any] = []  # what holds code: it is called until the process ends


class ObjectFile:
    """The sections and symbols of an ELF file that LLVM wrote."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        count, start = int.from_bytes(data[60:62], "little"), int.from_bytes(data[40:48], "little")
        self.sections = np.frombuffer(data, SECTION, count, start)
        (table,) = self.sections[self.sections["type"] == SYMTAB]
        self.symbols = np.frombuffer(self.contents(table), SYMBOL)
        self._names = self.contents(self.sections[table["link"]])

    def contents(self, section: np.void) -> bytes:
        return self._data[int(section["offset"]) : int(section["offset"] + section["size"])]

    def name(self, symbol: np.void) -> str:
        start = int(symbol["name"])
        return self._names[start : self._names.index(b"\0", start)].decode()

    def relocations(self) -> Iterator[tuple[int, np.ndarray]]:
        """The number of a section that is loaded, and what is to be put into it."""
        for section in self.sections[self.sections["type"] == RELA]:
            if self.sections[section["info"]]["flags"] & ALLOCATED:
                yield int(section["info"]), np.frombuffer(self.contents(section), RELOCATION)


def image_of(data: bytes) -> Image | None:
    if not data.startswith(ELF) or int.from_bytes(data[18:20], "little") != X86_64:
        return None
    file = ObjectFile(data)
    if not is_simple(file):
        return None
    bases, code = laid_out(file)
    fixes = fixed(file, bases, code)
    (entry,) = [symbol for symbol in file.symbols if file.name(symbol) == ENTRY]
    return Image(code, int(bases[entry["section"]] + entry["value"]), fixes)


def is_simple(file: ObjectFile) -> bool:
    """Nothing is written, and all that is to be put in is an address of 8 octets, of the file's own or of a few functions."""
    found = [np.empty(0, RELOCATION), *(relocations for _, relocations in file.relocations())]
    all_of_them = np.concatenate(found)
    plain = (all_of_them["type"] == R_X86_64_64) & (file.symbols["section"][all_of_them["symbol"]] < RESERVED)
    foreign = {file.name(symbol) for symbol in file.symbols[1:] if symbol["section"] == UNDEFINED}
    kept = file.sections[file.sections["flags"] & ALLOCATED != 0]
    odd = (kept["flags"] & WRITABLE != 0) | (kept["align"] > LINE)
    return bool(plain.all() and foreign <= OF_LIBC and not odd.any() and not (file.sections["type"] == REL).any())


def laid_out(file: ObjectFile) -> tuple[np.ndarray, np.ndarray]:
    """Where each section begins in the image, and the octets."""
    bases, octets = np.zeros(file.sections.size, np.int64), bytearray()
    for number, section in enumerate(file.sections):
        if section["flags"] & ALLOCATED:
            octets += bytes(-len(octets) % LINE)
            bases[number] = len(octets)
            octets += file.contents(section)
    return bases, np.frombuffer(octets, np.uint8)


def fixed(file: ObjectFile, bases: np.ndarray, code: np.ndarray) -> dict[str, np.ndarray]:
    """Put in how far each address is from the image's, or 0 for libc's; the places."""
    places: dict[str, list[int]] = {"": []}
    for section, relocations in file.relocations():
        for relocation in relocations:
            symbol, place = file.symbols[relocation["symbol"]], int(bases[section] + relocation["offset"])
            own = symbol["section"] != UNDEFINED
            value = int(relocation["addend"]) + (int(bases[symbol["section"]]) + int(symbol["value"]) if own else 0)
            code[place : place + 8] = np.frombuffer(value.to_bytes(8, "little", signed=True), np.uint8)
            places.setdefault("" if own else file.name(symbol), []).append(place)
    return {name: np.array(found, np.int64) for name, found in places.items()}
