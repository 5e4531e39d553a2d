"""Octets of an array as numbers, several at once. Each access checks its bounds once.

Numbers are signed, so that they mix with other integers, but those of 64 bits. ``le64`` and ``put64`` are for octets that
are looked at or copied eight at a time: the first is the lowest.
"""

import numpy as np

from collector.kernels.jit import builtin, inline

WORD_OCTETS = 8


def octets_of(data, at, size):
    if at < 0 or at + size > data.size:
        raise IndexError("index is out of bounds")
    return data[int(at) : int(at) + size]


def number(data, at, size, order):
    return np.int64(int.from_bytes(octets_of(data, at, size).tobytes(), order))


def word(data, at, order):
    return np.uint64(int.from_bytes(octets_of(data, at, 8).tobytes(), order))


@builtin
def u8(data, at):
    return number(data, at, 1, "big")


@builtin
def be16(data, at):
    return number(data, at, 2, "big")


@builtin
def be32(data, at):
    return number(data, at, 4, "big")


@builtin
def be64(data, at):
    return word(data, at, "big")


@builtin
def le16(data, at):
    return number(data, at, 2, "little")


@builtin
def le32(data, at):
    return number(data, at, 4, "little")


@builtin
def le64(data, at):
    return word(data, at, "little")


@builtin
def put64(data, at, word):
    octets_of(data, at, 8)[:] = np.frombuffer(int(word).to_bytes(8, "little"), np.uint8)


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


@inline
def copy_words(source, start, target, to, count):
    """The same where the source has seven octets more too; returns the place behind what was meant."""
    for step in range(0, count, WORD_OCTETS):
        put64(target, to + step, le64(source, start + step))
    return to + count
