"""Reading bytes. Every load widens first: numpy keeps uint8, numba does not, and they must agree."""

import numpy as np

from collector.kernels.jit import inline


@inline
def u8(data, at):
    return np.int64(data[np.uint64(at)])


@inline
def be16(data, at):
    return (u8(data, at) << 8) | u8(data, at + 1)


@inline
def be24(data, at):
    return (be16(data, at) << 8) | u8(data, at + 2)


@inline
def be32(data, at):
    return (be16(data, at) << 16) | be16(data, at + 2)


@inline
def be64(data, at):
    return (np.uint64(be32(data, at)) << np.uint64(32)) | np.uint64(be32(data, at + 4))


@inline
def le16(data, at):
    return u8(data, at) | (u8(data, at + 1) << 8)


@inline
def le32(data, at):
    return le16(data, at) | (le16(data, at + 2) << 16)


@inline
def any16(data, at, big):
    return be16(data, at) if big else le16(data, at)


@inline
def any32(data, at, big):
    return be32(data, at) if big else le32(data, at)
