"""Octets of an array as numbers, several at once. Each access checks its bounds once.

Numbers are signed, so that they mix with other integers, but those of 64 bits. ``le64`` and ``put64`` are for octets that
are looked at or copied eight at a time: the first is the lowest.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from collector.kernels.jit import COMPILED, inline

OCTET = ir.IntType(8)


def _pointer(context: Any, builder: Any, array: Any, arguments: Any, octets: int) -> Any:
    """To ``octets`` octets of the array at an index; out of bounds raises ``IndexError``, as an element would."""
    view, at = context.make_array(array)(context, builder, arguments[0]), arguments[1]
    size = builder.extract_value(view.shape, 0)
    room = builder.sub(size, size.type(octets - 1))
    room = builder.select(builder.icmp_signed(">", room, size.type(0)), room, size.type(0))
    with cgutils.if_unlikely(builder, builder.icmp_unsigned(">=", at, room)):
        context.call_conv.return_user_exc(builder, IndexError, ("index is out of bounds",))
    return builder.bitcast(builder.gep(view.data, [at]), ir.IntType(8 * octets).as_pointer())


def _compiled_load(octets: int, big: bool) -> Any:
    result = types.uint64 if octets == 8 else types.int64

    @intrinsic
    def load(typing_context, data, at):
        def generate(context, builder, signature, arguments):
            word = builder.load(_pointer(context, builder, signature.args[0], arguments, octets), align=1)
            word = builder.bswap(word) if big and octets > 1 else word
            return builder.zext(word, ir.IntType(64)) if octets < 8 else word

        return result(data, types.int64), generate

    return load


def _interpreted_load(octets: int, big: bool) -> Any:
    kind = np.uint64 if octets == 8 else np.int64

    def load(data, at):
        at = int(at)
        if at < 0 or at + octets > data.size:
            raise IndexError("index is out of bounds")
        return kind(int.from_bytes(data[at : at + octets].tobytes(), "big" if big else "little"))

    return load


@intrinsic
def _compiled_put64(typing_context, data, at, word):
    def generate(context, builder, signature, arguments):
        builder.store(arguments[2], _pointer(context, builder, signature.args[0], arguments, 8), align=1)
        return context.get_dummy_value()

    return types.void(data, types.int64, types.uint64), generate


def _interpreted_put64(data, at, word):
    at = int(at)
    if at < 0 or at + 8 > data.size:
        raise IndexError("index is out of bounds")
    data[at : at + 8] = np.frombuffer(int(word).to_bytes(8, "little"), np.uint8)


_load = _compiled_load if COMPILED else _interpreted_load
u8 = _load(1, True)
be16, be32, be64 = (_load(octets, True) for octets in (2, 4, 8))
le16, le32, le64 = (_load(octets, False) for octets in (2, 4, 8))
put64: Any = _compiled_put64 if COMPILED else _interpreted_put64


@inline
def be24(data, at):
    return (be16(data, at) << 8) | u8(data, at + 2)


@inline
def any16(data, at, big):
    return be16(data, at) if big else le16(data, at)


@inline
def any32(data, at, big):
    return be32(data, at) if big else le32(data, at)


@inline
def copy(source, start, target, to, count):
    """Copy octets, eight at a time while the source has as many: up to seven more are written behind them."""
    step = 0
    while step < count and start + step + 8 <= source.size:
        put64(target, to + step, le64(source, start + step))
        step += 8
    while step < count:
        target[np.uint64(to + step)] = source[np.uint64(start + step)]
        step += 1
