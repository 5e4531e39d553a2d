"""Object code becomes an image in memory; what is not understood of it is left to LLVM."""

import ctypes
import platform
from array import array
from pathlib import Path

import llvmlite.binding as llvm
import pytest

from collector.kernels.linking import ENTRY, image_of, linked, loaded

TABLE = f"""
declare ptr @memset(ptr, i32, i64)
@numbers = private constant [3 x i64] [i64 7, i64 5, i64 3], align 64
@cells = private constant [2 x ptr] [ptr @cell, ptr @cell]
@cell = private constant i64 40
define private i64 @number(i64 %at) noinline nounwind {{
    %place = getelementptr [3 x i64], ptr @numbers, i64 0, i64 %at
    %number = load i64, ptr %place
    ret i64 %number
}}
define i32 @{ENTRY}(ptr %words) nounwind {{
    %size = load i64, ptr %words
    %target = getelementptr i64, ptr %words, i64 1
    call ptr @memset(ptr %target, i32 1, i64 %size)
    %number = call i64 @number(i64 2)
    %second = getelementptr [2 x ptr], ptr @cells, i64 0, i64 1
    %cell = load volatile ptr, ptr %second
    %forty = load i64, ptr %cell
    %sum = add i64 %number, %forty
    %code = trunc i64 %sum to i32
    ret i32 %code
}}
"""
machine = pytest.mark.skipif(platform.machine() != "x86_64", reason="elsewhere LLVM loads the code")


def object_file(source: str, model: str = "large") -> bytes:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    target = llvm.Target.from_default_triple().create_target_machine(codemodel=model)
    return bytes(target.emit_object(llvm.parse_assembly(source)))


def called(kept: bytes) -> tuple[int, list[int]]:
    words = array("q", [8, 0, 0])
    return loaded(kept)(words.buffer_info()[0]), list(words)


@machine
def test_an_image_refers_to_itself_and_to_libc() -> None:
    image = image_of(object_file(TABLE))
    assert image is not None and list(image.fixes) == ["", "memset"]
    kept = linked(object_file(TABLE))
    assert not kept.startswith(b"\x7fELF")
    assert called(kept) == (43, [8, 0x0101010101010101, 0])
    assert called(kept) == called(kept)


@machine
def test_what_takes_a_linker_is_left_to_llvm() -> None:
    for data in (object_file(TABLE, "small"), object_file(TABLE.replace("@cell = private constant", "@cell = global"))):
        assert image_of(data) is None
        assert linked(data) == data
    assert image_of(b"\xfe\xed\xfa\xcf" + bytes(64)) is None


def test_llvm_loads_an_object_file() -> None:
    assert called(object_file(TABLE)) == (43, [8, 0x0101010101010101, 0])


@machine
def test_code_is_not_written_any_more() -> None:
    code = loaded(linked(object_file(TABLE)))
    entry = ctypes.cast(code, ctypes.c_void_p).value  # type: ignore[arg-type]
    with Path("/proc/self/maps").open() as maps:
        spans = [line.split()[:2] for line in maps]
    rights = [kind for span, kind in spans if int(span.split("-")[0], 16) <= (entry or 0) < int(span.split("-")[1], 16)]
    assert rights == ["r-xp"]
