"""The compiled forms of what is marked ``builtin``, by its name. Imported only to compile."""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.errors import TypingError
from numba.extending import intrinsic

OCTET, WORD, WIDE = ir.IntType(8), ir.IntType(64), ir.IntType(128)


def pointer(context: Any, builder: Any, array: Any, arguments: Any, octets: int) -> Any:
    """To ``octets`` octets of the array at an index; out of bounds raises ``IndexError``, as an element would."""
    view, at = context.make_array(array)(context, builder, arguments[0]), arguments[1]
    size = builder.extract_value(view.shape, 0)
    room = builder.sub(size, WORD(octets - 1))
    room = builder.select(builder.icmp_signed(">", room, WORD(0)), room, WORD(0))
    with cgutils.if_unlikely(builder, builder.icmp_unsigned(">=", at, room)):
        context.call_conv.return_user_exc(builder, IndexError, ("index is out of bounds",))
    return builder.bitcast(builder.gep(view.data, [at]), ir.IntType(8 * octets).as_pointer())


def refuse_other(array: Any) -> None:
    """What is read and written is one octet behind the other."""
    if not isinstance(array, types.Array) or array.ndim != 1 or array.layout != "C" or array.dtype != types.uint8:
        raise TypingError(f"octets lie in a contiguous array of uint8, not in {array}")


def load(octets: int, big: bool) -> Any:
    result = types.uint64 if octets == 8 else types.int64

    @intrinsic
    def form(typing_context, data, at):
        refuse_other(data)

        def generate(context, builder, signature, arguments):
            word = builder.load(pointer(context, builder, signature.args[0], arguments, octets), align=1)
            word = builder.bswap(word) if big and octets > 1 else word
            return builder.zext(word, WORD) if octets < 8 else word

        return result(data, types.int64), generate

    return form


@intrinsic
def put64(typing_context, data, at, word):
    refuse_other(data)
    if not data.mutable:
        raise TypingError("octets of a read-only array are not written")

    def generate(context, builder, signature, arguments):
        builder.store(arguments[2], pointer(context, builder, signature.args[0], arguments, 8), align=1)
        return context.get_dummy_value()

    return types.void(data, types.int64, types.uint64), generate


@intrinsic
def fold(typing_context, first, second):
    def generate(context, builder, signature, arguments):
        product = builder.mul(*(builder.zext(word, WIDE) for word in arguments))
        return builder.trunc(builder.xor(product, builder.lshr(product, WIDE(64))), WORD)

    return types.uint64(types.uint64, types.uint64), generate


@intrinsic
def prefetch(typing_context, array, position, offset):
    def generate(context, builder, signature, arguments):
        view = context.make_array(signature.args[0])(context, builder, arguments[0])
        item = builder.bitcast(builder.gep(view.data, [arguments[1]]), OCTET.as_pointer())
        kind = ir.IntType(32)
        declared = builder.module.declare_intrinsic(
            "llvm.prefetch.p0", fnty=ir.FunctionType(ir.VoidType(), [OCTET.as_pointer(), kind, kind, kind])
        )
        builder.call(declared, [builder.gep(item, [arguments[2]]), kind(1), kind(3), kind(1)])
        return context.get_dummy_value()

    return types.void(array, types.uint64, types.int64), generate


FORMS = {
    "prefetch": prefetch,
    "fold": fold,
    "put64": put64,
    "u8": load(1, True),
    **{f"be{8 * octets}": load(octets, True) for octets in (2, 4, 8)},
    **{f"le{8 * octets}": load(octets, False) for octets in (2, 4, 8)},
}
