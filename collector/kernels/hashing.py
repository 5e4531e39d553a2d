"""Hashing, and the open-addressing index that the flow table and the pending queries share.

An index holds (tag << 32 | record position + 1), 0 for empty, and is at most half full; deletion shifts back, so there are no
tombstones.
"""

import numpy as np

from collector.kernels.jit import inline

ONE, THIRTY_TWO = np.uint64(1), np.uint64(32)
POSITION = np.uint64(0xFFFFFFFF)
MULTIPLIER_1, MULTIPLIER_2 = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53)
SHIFT = np.uint64(33)


@inline
def mix(word):
    """The finaliser of MurmurHash3: every bit of the input moves every bit of the result."""
    word ^= word >> SHIFT
    word *= MULTIPLIER_1
    word ^= word >> SHIFT
    word *= MULTIPLIER_2
    return word ^ (word >> SHIFT)


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
def datagram_key(packet, seed):
    """One word for a datagram: interface, addresses, protocol and identification; never 0."""
    word = mix(packet.src_high ^ seed ^ np.uint64(packet.interface)) ^ packet.src_low
    word = mix(word) ^ packet.dst_high
    word = mix(word) ^ packet.dst_low
    return mix(mix(word) ^ (packet.datagram << np.uint64(8)) ^ np.uint64(packet.protocol)) | ONE
