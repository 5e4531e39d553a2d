"""Kernels to object code, by numba. Imported only where there is none yet.

The code is one function of one argument, a pointer to 8-octet words: room for the results, then the arguments.
"""

from collections.abc import Sequence
from typing import Any

import numba
from llvmlite import ir
from numba.core import compiler, types
from numba.core.compiler_lock import global_compiler_lock
from numba.core.registry import cpu_target

from collector.kernels import jit
from collector.kernels.intrinsics import FORMS
from collector.kernels.linking import ENTRY, linked

config: Any = numba.config
config.BOUNDSCHECK = None  # not to be switched off by a setting: code is kept, and what is in captures is hostile
WORD = ir.IntType(64)
# What Python does not call has no wrapper for it, whose code takes as long to compile as the kernel's.
INTERNAL = jit.OPTIONS | {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}


def internal(function: Any, **options: bool) -> Any:
    compiler_of: Any = numba.njit  # its declared overloads do not know _nrt
    return compiler_of(**INTERNAL, **options)(function)


known: dict[Any, Any] = {}


def make_known() -> None:
    """Tell numba what the functions are that only kernels call, which are plain ones for Python."""
    context = cpu_target.typing_context
    context.refresh()
    for function in jit.builtins:
        if function not in known:
            known[function] = FORMS[function.__name__]
            context.insert_global(function, context.resolve_value_type(known[function]))
    for function, options in jit.internals:
        if function not in known:
            known[function] = internal(function, **options)
            context.insert_global(function, types.Dispatcher(known[function]))


def compiled(function: Any, arguments: Sequence[Any]) -> bytes:
    """The code of an entry for arguments like these."""
    with global_compiler_lock:
        make_known()
        dispatcher = internal(function)
        flags: Any = compiler.Flags()
        dispatcher.targetdescr.options.parse_as_flags(flags, dispatcher.targetoptions)
        flags.no_compile = True  # on its own: it is compiled together with what calls it
        made = compiler.compile_extra(
            cpu_target.typing_context,
            cpu_target.target_context,
            function,
            tuple(numba.typeof(argument) for argument in arguments),
            None,
            flags,
            {},
        )
        made.library.add_ir_module(caller(made))
        return linked(object_code(made.library))


def caller(made: Any) -> Any:
    """A module with the function that Python calls, which takes the arguments out of the words."""
    context, signature = made.target_context, made.signature
    module = context.create_module("caller")
    convention = context.call_conv
    callee = ir.Function(
        module, convention.get_function_type(signature.return_type, signature.args), made.fndesc.llvm_func_name
    )
    function = ir.Function(module, ir.FunctionType(ir.IntType(32), [WORD.as_pointer()]), ENTRY)
    builder = ir.IRBuilder(function.append_basic_block())
    words, at, values = function.args[0], jit.RESULTS, []
    for argument in signature.args:
        refuse_other_layout(context, argument)
        place = builder.gep(words, [WORD(at)])
        values.append(
            context.unpack_value(
                builder, argument, builder.bitcast(place, context.get_data_type(argument).as_pointer())
            )
        )
        at += words_of(argument)
    status, result = convention.call_function(builder, callee, signature.return_type, signature.args, values)
    results = results_of(signature.return_type)
    builder.store(WORD(len(results)), words)
    for number, kind in enumerate(results):
        value = builder.extract_value(result, number) if len(results) > 1 else result
        builder.store(context.cast(builder, value, kind, types.int64), builder.gep(words, [WORD(1 + number)]))
    builder.ret(builder.zext(status.is_error, ir.IntType(32)))
    return module


def refuse_other_layout(context: Any, kind: Any) -> None:
    """``lay_out`` gives every number a word: numba packs smaller ones that follow each other in a tuple."""
    size = context.get_abi_sizeof(context.get_data_type(kind))
    if is_tuple(kind) and size != 8 * words_of(kind):
        raise TypeError(f"numba lays {kind} out in {size} octets, not in {words_of(kind)} words")


def words_of(kind: Any) -> int:
    if isinstance(kind, types.Array):
        return 5 + 2 * int(kind.ndim)
    return sum(map(words_of, members_of(kind))) if is_tuple(kind) else 1


def results_of(kind: Any) -> list[Any]:
    if kind == types.none:
        return []
    kinds = members_of(kind) if is_tuple(kind) else [kind]
    if is_tuple(kind) is (len(kinds) == 1) or len(kinds) >= jit.RESULTS or not all(map(is_integer, kinds)):
        raise TypeError(f"a kernel returns nothing or up to {jit.RESULTS - 1} integers, not {kind}")
    return kinds


def is_tuple(kind: Any) -> bool:
    return isinstance(kind, types.BaseTuple)


def is_integer(kind: Any) -> bool:
    """One that an int64 can hold."""
    return isinstance(kind, types.Integer) and kind != types.uint64


def members_of(kind: Any) -> list[Any]:
    return list(kind)


def object_code(library: Any) -> bytes:
    """The library with all that it calls. All but the entry is private, so what is inlined or unused leaves no code and no name."""
    module = library._final_module
    for callee in dict.fromkeys(library._linking_libraries):
        module.link_in(callee._get_module_for_linking(), preserve=True)
    for value in (*module.functions, *module.global_variables):
        if not value.is_declaration and value.name != ENTRY:
            value.linkage = "private"
    library._optimize_final_module()
    names = [function.name for function in module.functions if function.is_declaration]
    foreign = [name for name in names if not name.startswith("llvm.")]
    if foreign:
        raise TypeError(f"a kernel calls what its object code has not: {foreign}")
    return bytes(library.codegen._tm.emit_object(module))
