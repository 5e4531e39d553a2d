"""IPv4 (RFC 791) and IPv6 (RFC 8200) headers, with what IPv6 has between its header and the transport's."""

import numpy as np

from collector.kernels.jit import inline, kernel
from collector.kernels.layout import BAD_IP_HEADER, CUT_IP_HEADER, KEPT
from collector.kernels.load import be16, be32, be64, u8

MAPPED = np.uint64(0xFFFF00000000)  # ::ffff:0:0/96, so that both families are one code path
ZERO = np.uint64(0)
HOP_BY_HOP, ROUTING, FRAGMENT, OPTIONS, NO_NEXT = 0, 43, 44, 60, 59
JUMBO = 0xC2


@inline
def read_ip(data, at, end, wire_end, packet):
    """Fill addresses, length and fragment fields; returns (reason, protocol, payload's place, IP packet's end)."""
    if end - at < 1:
        return CUT_IP_HEADER, 0, at, at
    version = u8(data, at) >> 4
    if version == 4:
        return read_ipv4(data, at, end, wire_end, packet)
    if version == 6:
        return read_ipv6(data, at, end, wire_end, packet)
    return BAD_IP_HEADER, 0, at, at


@inline
def read_ipv4(data, at, end, wire_end, packet):
    if end - at < 20:
        return CUT_IP_HEADER, 0, at, at
    header = (u8(data, at) & 0xF) * 4
    total = be16(data, at + 2)
    if total == 0:  # segmentation offload: the length did not fit, the frame has it
        total = wire_end - at
    if header < 20 or total < header:
        return BAD_IP_HEADER, 0, at, at
    flags = be16(data, at + 6)
    packet.six = 0
    packet.fragment_at = (flags & 0x1FFF) * 8
    packet.more = flags >> 13 & 1
    packet.datagram = np.uint64(be16(data, at + 4))
    packet.src_high = ZERO
    packet.src_low = MAPPED | np.uint64(be32(data, at + 12))
    packet.dst_high = ZERO
    packet.dst_low = MAPPED | np.uint64(be32(data, at + 16))
    packet.ip_bytes = total
    return KEPT, u8(data, at + 9), at + header, at + total


@inline
def read_ipv6(data, at, end, wire_end, packet):
    if end - at < 40:
        return CUT_IP_HEADER, 0, at, at
    total = be16(data, at + 4) + 40
    protocol = u8(data, at + 6)
    if total == 40 and protocol != NO_NEXT:  # a jumbo payload, or segmentation offload
        total = jumbo_length(data, at, end, protocol)
        if total == 0:
            total = max(wire_end - at, 40)
    packet.six = 1
    packet.fragment_at = 0
    packet.more = 0
    packet.src_high = be64(data, at + 8)
    packet.src_low = be64(data, at + 16)
    packet.dst_high = be64(data, at + 24)
    packet.dst_low = be64(data, at + 32)
    packet.ip_bytes = total
    body, limit = at + 40, at + total
    reason = KEPT
    if protocol == HOP_BY_HOP or protocol == ROUTING or protocol == FRAGMENT or protocol == OPTIONS:
        reason, protocol, body = skip_extensions(data, body, end, limit, protocol, packet)
    return reason, protocol, body, limit


@kernel
def jumbo_length(data, at, end, protocol):
    """RFC 2675 §2: the first option of the hop-by-hop header says the payload's length; 0 where it is not there."""
    if protocol == HOP_BY_HOP and end - at >= 48 and u8(data, at + 42) == JUMBO and u8(data, at + 43) == 4:
        length = be32(data, at + 44)
        if length > 65535:
            return length + 40
    return np.int64(0)


@kernel
def skip_extensions(data, body, end, limit, protocol, packet):
    """Returns (reason, protocol, place) behind the extension headers; those behind a later fragment's are payload."""
    while protocol == HOP_BY_HOP or protocol == ROUTING or protocol == FRAGMENT or protocol == OPTIONS:
        if limit - body < 8:
            return BAD_IP_HEADER, 0, body
        if end - body < 8:
            return CUT_IP_HEADER, 0, body
        following = u8(data, body)
        if protocol == FRAGMENT:
            field = be16(data, body + 2)
            packet.fragment_at = field & 0xFFF8
            packet.more = field & 1
            packet.datagram = np.uint64(be32(data, body + 4))
            body += 8
        else:
            behind = body + (u8(data, body + 1) + 1) * 8
            if behind > limit:
                return BAD_IP_HEADER, 0, body
            body = behind
        protocol = following
        if packet.fragment_at > 0:
            break
    return KEPT, protocol, body
