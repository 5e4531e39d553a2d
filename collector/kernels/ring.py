"""Finding the frames in a block of an AF_PACKET ring (TPACKET_V3).

https://docs.kernel.org/networking/packet_mmap.html; the layouts are those of ``struct tpacket3_hdr`` and ``struct sockaddr_ll``
in Linux's ``if_packet.h``, in the byte order of the machine, which is little-endian wherever Tailrace's kernels run.
"""

import numpy as np

from collector.kernels.jit import entry, inline, prefetch
from collector.kernels.layout import NO_TAG
from collector.kernels.link import ETHERNET, RADIOTAP, RAW, WIFI
from collector.kernels.load import be16, le16, le32

# Offsets in a frame's header, then in the address behind it.
NEXT, SECONDS, NANOSECONDS, CAPTURED, WIRE, STATUS, MAC, NET, TCI = 0, 4, 8, 12, 16, 20, 24, 26, 32
ADDRESS = 48
PROTOCOL, INDEX, HARDWARE = ADDRESS + 2, ADDRESS + 4, ADDRESS + 8

VLAN_VALID = 1 << 4
ARPHRD_ETHER, ARPHRD_LOOPBACK, ARPHRD_80211, ARPHRD_RADIOTAP = 1, 772, 801, 803
UNTOLD = -1  # a link type that nothing is read of

NOT_WANTED, UNKNOWN = np.int64(-1), np.int64(-2)
AHEAD, LINE = 1024, 64  # octets: what another core wrote takes its time to come over


@entry
def walk_ring(ring, at, left, indexes, interfaces, frames):
    """Fill ``frames`` from the ``left`` frames at ``at``; returns (frames found, where it stopped, how many are left there).

    ``interfaces`` says the id, or ``NOT_WANTED``, of each interface whose kernel's index stands at the same place of
    ``indexes``. With some left and room for more, the index at ``at`` is not among them.
    """
    count = 0
    while left > 0 and count < frames.size:
        for line in range(4):
            prefetch(ring, np.uint64(at + AHEAD), np.int64(line * LINE))
        interface = interface_of(indexes, interfaces, le32(ring, at + INDEX))
        if interface == UNKNOWN:
            return count, at, left
        if interface != NOT_WANTED:
            fill_frame(ring, at, interface, frames[np.uint64(count)])
            count += 1
        at += le32(ring, at + NEXT)
        left -= 1
    return count, at, left


@inline
def interface_of(indexes, interfaces, index):
    """Open addressing from the index itself on: the kernel hands them out one after the other. 0 is a free place."""
    mask = indexes.size - 1
    slot = index & mask
    while indexes[np.uint64(slot)] != 0:
        if indexes[np.uint64(slot)] == index:
            return np.int64(interfaces[np.uint64(slot)])
        slot = (slot + 1) & mask
    return UNKNOWN


@inline
def fill_frame(ring, at, interface, frame):
    """Of a device without an Ethernet header what it says of its own is left out, and IP is where the kernel says."""
    mac, net = le16(ring, at + MAC), le16(ring, at + NET)
    link = link_of(le16(ring, at + HARDWARE), be16(ring, at + PROTOCOL))
    header = max(net - mac, 0) if link == RAW else 0
    frame.offset = at + mac + header
    frame.captured = max(le32(ring, at + CAPTURED) - header, 0)
    frame.wire = max(le32(ring, at + WIRE) - header, 0)
    frame.time = le32(ring, at + SECONDS) * 1_000_000 + le32(ring, at + NANOSECONDS) // 1000
    frame.interface = interface
    frame.link = link
    frame.tag = le32(ring, at + TCI) & 0xFFFF if le32(ring, at + STATUS) & VLAN_VALID else NO_TAG


@inline
def link_of(hardware, protocol):
    if hardware == ARPHRD_ETHER or hardware == ARPHRD_LOOPBACK:
        return ETHERNET
    if hardware == ARPHRD_80211:
        return WIFI
    if hardware == ARPHRD_RADIOTAP:
        return RADIOTAP
    return RAW if protocol == 0x0800 or protocol == 0x86DD else UNTOLD
