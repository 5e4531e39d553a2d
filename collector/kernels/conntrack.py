"""Finding the translated connections in what the kernel says of those that it tracks (ctnetlink).

Linux's ``nfnetlink_conntrack.h``. Headers are in the byte order of the machine, which is little-endian wherever Tailrace's kernels
run; values are big-endian.
"""

from typing import NamedTuple

import numpy as np

from collector.kernels.columns import fill_address
from collector.kernels.jit import entry, inline, kernel
from collector.kernels.load import be16, be32, be64, le16, le32, u8
from collector.kernels.spelling import IPV6, MAPPED_IS_IPV4, NO_ADDRESS

MESSAGE, FAMILY, ATTRIBUTE = 16, 4, 4  # octets of headers
ERROR, DONE, NEW = 2, 3, 1 << 8  # kinds of messages; of ctnetlink's only what is new
KIND = 0x3FFF  # of an attribute, without flags
ORIGINAL, REPLY, STATUS, TIMESTAMP = 1, 2, 3, 20
IP, PROTOCOL = 1, 2  # in a tuple
V4_SRC, V6_SRC = 1, 3
NUMBER, SRC_PORT, DST_PORT = 1, 2, 3
TRANSLATED = 1 << 4 | 1 << 5  # IPS_SRC_NAT, IPS_DST_NAT
IPV4_MAPPED = np.uint64(0xFFFF00000000)


class Tracked(NamedTuple):
    """A column each; of what was not translated the address has no kind, and the port is below zero."""

    src_ip: np.ndarray
    dst_ip: np.ndarray
    src_nat_ip: np.ndarray
    dst_nat_ip: np.ndarray
    src_port: np.ndarray
    dst_port: np.ndarray
    src_nat_port: np.ndarray
    dst_nat_port: np.ndarray
    protocol: np.ndarray
    begun_us: np.ndarray  # below zero where the kernel does not note it


@entry
def walk_conntrack(data, at, size, tracked):
    """Fill ``tracked`` from the messages in ``data[at:size]``; returns (connections, where it stopped, whether a dump ended)."""
    count, ended = np.int64(0), np.int64(0)
    while at + MESSAGE <= size and count < tracked.protocol.size:
        length, kind = le32(data, at), le16(data, at + 4)
        if length < MESSAGE or at + length > size:
            return count, size, ended
        if kind == DONE or kind == ERROR:
            ended = np.int64(1)
        elif kind == NEW and read_connection(data, at + MESSAGE + FAMILY, at + length, tracked, count):
            count += 1
        at += aligned(length)
    return count, at if at + MESSAGE <= size else size, ended


@inline
def aligned(size):
    return (size + 3) & ~3


@kernel
def find_attribute(data, at, end, wanted):
    """(begin, end) of what it holds; (0, 0) if it is not there."""
    while at + ATTRIBUTE <= end:
        length = le16(data, at)
        if length < ATTRIBUTE or at + length > end:
            break
        if le16(data, at + 2) & KIND == wanted:
            return at + ATTRIBUTE, at + length
        at += aligned(length)
    return np.int64(0), np.int64(0)


@kernel
def read_connection(data, at, end, tracked, row):
    """Whether it was translated, and both of its tuples can be read."""
    begin, until = find_attribute(data, at, end, STATUS)
    if until - begin < 4 or be32(data, begin) & TRANSLATED == 0:
        return False
    begin, until = find_attribute(data, at, end, ORIGINAL)
    six, src_high, src_low, dst_high, dst_low = read_addresses(data, begin, until)
    protocol, src_port, dst_port = read_ports(data, begin, until)
    begin, until = find_attribute(data, at, end, REPLY)
    reply_six, from_high, from_low, to_high, to_low = read_addresses(data, begin, until)
    reply_protocol, from_port, to_port = read_ports(data, begin, until)
    if six < 0 or reply_six < 0 or protocol < 0 or reply_protocol != protocol:
        return False
    fill_address(tracked.src_ip, np.uint64(row), src_high, src_low, six)
    fill_address(tracked.dst_ip, np.uint64(row), dst_high, dst_low, six)
    src_kept = src_high == to_high and src_low == to_low and src_port == to_port
    dst_kept = dst_high == from_high and dst_low == from_low and dst_port == from_port
    fill_address(tracked.src_nat_ip, np.uint64(row), to_high, to_low, NO_ADDRESS if src_kept else reply_six)
    fill_address(tracked.dst_nat_ip, np.uint64(row), from_high, from_low, NO_ADDRESS if dst_kept else reply_six)
    tracked.src_port[np.uint64(row)], tracked.dst_port[np.uint64(row)] = src_port, dst_port
    tracked.src_nat_port[np.uint64(row)] = -1 if src_kept else to_port
    tracked.dst_nat_port[np.uint64(row)] = -1 if dst_kept else from_port
    tracked.protocol[np.uint64(row)] = protocol
    tracked.begun_us[np.uint64(row)] = begun_us(data, at, end)
    return True


@kernel
def read_addresses(data, at, end):
    """(kind of address, source, destination), each of these as two words; below zero: none that can be read."""
    at, end = find_attribute(data, at, end, IP)
    src, src_end = find_attribute(data, at, end, V4_SRC)
    dst, dst_end = find_attribute(data, at, end, V4_SRC + 1)
    none = np.uint64(0)
    if src_end - src == 4 and dst_end - dst == 4:
        return MAPPED_IS_IPV4, none, mapped(data, src), none, mapped(data, dst)
    src, src_end = find_attribute(data, at, end, V6_SRC)
    dst, dst_end = find_attribute(data, at, end, V6_SRC + 1)
    if src_end - src == 16 and dst_end - dst == 16:
        return IPV6, be64(data, src), be64(data, src + 8), be64(data, dst), be64(data, dst + 8)
    return NO_ADDRESS, none, none, none, none


@inline
def mapped(data, at):
    return np.uint64(be32(data, at)) | IPV4_MAPPED


@kernel
def read_ports(data, at, end):
    """(protocol, source port, destination port); below zero: none."""
    at, end = find_attribute(data, at, end, PROTOCOL)
    begin, until = find_attribute(data, at, end, NUMBER)
    protocol = u8(data, begin) if until - begin == 1 else np.int64(-1)
    src, src_end = find_attribute(data, at, end, SRC_PORT)
    dst, dst_end = find_attribute(data, at, end, DST_PORT)
    if src_end - src != 2 or dst_end - dst != 2:
        return protocol, np.int64(-1), np.int64(-1)
    return protocol, be16(data, src), be16(data, dst)


@kernel
def begun_us(data, at, end):
    at, end = find_attribute(data, at, end, TIMESTAMP)
    begin, until = find_attribute(data, at, end, 1)
    return np.int64(be64(data, begin) // np.uint64(1000)) if until - begin == 8 else np.int64(-1)
