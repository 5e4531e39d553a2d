"""Hashing, and the open-addressing index that the flow table and the pending queries share.

An index holds (tag << 32 | record position + 1), 0 for empty, and is at most half full; deletion shifts back, so there are no
tombstones.
"""

import numpy as np

from collector.kernels.jit import builtin, inline

ONE, THIRTY_TWO = np.uint64(1), np.uint64(32)
POSITION = np.uint64(0xFFFFFFFF)


@builtin
def fold(first, second):
    """The halves of the product of two words, one over the other: every bit of the one moves many of the other (as in wyhash).

    What an attacker chooses is mixed with a secret of the run on both sides, and each fold goes into the next.
    """
    product = int(first) * int(second)
    return np.uint64((product ^ (product >> 64)) & 0xFFFFFFFFFFFFFFFF)


@inline
def insert_index(index, mask, tag, position):
    """``tag``: the upper half of the hash; ``mask``: one less than the places in use, a power of two."""
    tag = np.uint64(tag)
    slot = tag & mask
    while index[slot] != np.uint64(0):
        slot = (slot + ONE) & mask
    index[slot] = (tag << THIRTY_TWO) | np.uint64(position + 1)


@inline
def remove_index(index, mask, tag, position):
    slot = np.uint64(tag) & mask
    while index[slot] & POSITION != np.uint64(position + 1):
        slot = (slot + ONE) & mask
    hole = slot
    while True:
        slot = (slot + ONE) & mask
        entry = index[slot]
        if entry == np.uint64(0):
            break
        home = (entry >> THIRTY_TWO) & mask
        if ((slot - home) & mask) >= ((slot - hole) & mask):
            index[hole] = entry
            hole = slot
    index[hole] = np.uint64(0)


@inline
def hash_ends(control, first_high, first_low, second_high, second_low):
    """Two addresses, to be folded with the rest of what is hashed."""
    word = fold(first_low ^ control.seed, second_low ^ control.salt)
    return fold(first_high ^ word, second_high ^ control.salt)


@inline
def datagram_key(control, packet):
    """One word for a datagram: interface, addresses, protocol and identification; never 0."""
    word = hash_ends(control, packet.src_high, packet.src_low, packet.dst_high, packet.dst_low)
    rest = (packet.datagram << np.uint64(8)) | np.uint64(packet.protocol)
    return fold(rest ^ word, np.uint64(packet.interface) ^ control.salt) | ONE
