"""From a frame to the innermost flow's addresses, ports and lengths.

``decode`` fills one ``PACKET`` and returns ``KEPT`` or why the packet is discarded. Sources: IEEE 802.3/802.1Q, RFC
791, RFC 8200,
RFC 9293, RFC 768, RFC 9260, RFC 7348 (VXLAN), RFC 8926 (Geneve), RFC 2784 and 2890 (GRE), RFC 3032 (MPLS), RFC 2516
(PPPoE).
"""

import numpy as np

from collector.kernels.hashing import mix
from collector.kernels.jit import inline
from collector.kernels.layout import (
    BAD_IP_HEADER,
    BAD_TRANSPORT_HEADER,
    CUT_IP_HEADER,
    CUT_LINK_HEADER,
    CUT_TRANSPORT_HEADER,
    DCCP,
    FOUR_IN_SIX,
    GENEVE,
    GRE,
    ICMP,
    ICMPV6,
    INTERFACE_INDEX,
    IPIP,
    KEPT,
    MAX_DEPTH,
    MAX_FRAGMENTS,
    NO_TUNNEL,
    NO_VNI,
    NOT_IP,
    ORPHAN_FRAGMENT,
    SCTP,
    SIX_IN_FOUR,
    TCP,
    TOO_DEEP,
    UDP,
    UDPLITE,
    UNKNOWN_LINK_TYPE,
    VXLAN,
)
from collector.kernels.load import be16, be24, be32, be64, u8

# Link types (the registry of the pcap file format).
NULL, ETHERNET, RAW_BSD, RAW_OPENBSD, RAW, LOOP, COOKED, RAW4, RAW6, COOKED2 = (
    0,
    1,
    12,
    14,
    101,
    108,
    113,
    228,
    229,
    276,
)

# What comes next in a frame.
L_ETHERNET, L_TYPE, L_IP, L_STOP = 0, 1, 2, 3

IPV4_TYPE, IPV6_TYPE, TEB_TYPE = 0x0800, 0x86DD, 0x6558
MAPPED = np.uint64(0xFFFF00000000)  # ::ffff:0:0/96, so that both families are one code path
ZERO = np.uint64(0)


@inline
def decode(data, frame, packet, fragments, seed, enter_tunnels):
    start, end = frame.offset, frame.offset + frame.captured
    wire_end = frame.offset + np.int64(frame.wire)
    packet.time = frame.time
    packet.interface = frame.interface
    packet.vlan = -1
    packet.tunnel = NO_TUNNEL
    packet.vni = NO_VNI
    at, kind, ethertype = start, L_TYPE, np.int64(0)

    link = frame.link
    if link == ETHERNET:
        kind = L_ETHERNET
    elif link == RAW or link == RAW4 or link == RAW6 or link == RAW_BSD or link == RAW_OPENBSD:
        kind = L_IP
    elif link == NULL or link == LOOP:
        if end - at < 4:
            return CUT_LINK_HEADER
        at += 4
        kind = L_IP
    elif link == COOKED:
        if end - at < 16:
            return CUT_LINK_HEADER
        ethertype = be16(data, at + 14)
        at += 16
    elif link == COOKED2:
        if end - at < 20:
            return CUT_LINK_HEADER
        ethertype = be16(data, at)
        packet.interface = INTERFACE_INDEX | (be32(data, at + 4) & 0x7FFFFFFF)
        at += 20
    else:
        return UNKNOWN_LINK_TYPE

    depth = 0
    while True:
        if kind == L_ETHERNET:
            if end - at < 14:
                return CUT_LINK_HEADER
            ethertype = be16(data, at + 12)
            at += 14
            kind = L_TYPE
        if kind == L_TYPE:
            while ethertype == 0x8100 or ethertype == 0x88A8 or ethertype == 0x9100 or ethertype == 0x9200:
                if end - at < 4:
                    return CUT_LINK_HEADER
                vlan = be16(data, at) & 0xFFF
                if vlan != 0:  # a tag of VLAN 0 only carries a priority (IEEE 802.1Q §6.9)
                    packet.vlan = vlan
                ethertype = be16(data, at + 2)
                at += 4
            if ethertype == 0x8847 or ethertype == 0x8848:
                bottom = False
                while not bottom:
                    if end - at < 4:
                        return CUT_LINK_HEADER
                    bottom = (u8(data, at + 2) & 1) != 0
                    at += 4
                if end - at < 1:
                    return CUT_LINK_HEADER
                nibble = u8(data, at) >> 4
                if nibble == 0 and end - at >= 4:  # a pseudowire control word (RFC 4385 §3): Ethernet inside
                    at += 4
                    kind = L_ETHERNET
                    depth += 1
                    if depth > MAX_DEPTH:
                        return TOO_DEEP
                    continue
                ethertype = IPV6_TYPE if nibble == 6 else IPV4_TYPE
            elif ethertype == 0x8864:
                if end - at < 8:
                    return CUT_LINK_HEADER
                protocol = be16(data, at + 6)
                if protocol != 0x21 and protocol != 0x57:
                    return NOT_IP
                ethertype = IPV4_TYPE if protocol == 0x21 else IPV6_TYPE
                at += 8
            if ethertype != IPV4_TYPE and ethertype != IPV6_TYPE:
                return NOT_IP
        depth += 1
        if depth > MAX_DEPTH:
            return TOO_DEEP

        # The IP header and, for IPv6, what is between it and the transport header.
        if end - at < 1:
            return CUT_IP_HEADER
        version = u8(data, at) >> 4
        fragment_offset, more, fragment_id = np.int64(0), False, np.int64(0)
        if version == 4:
            if end - at < 20:
                return CUT_IP_HEADER
            header = (u8(data, at) & 0xF) * 4
            total = be16(data, at + 2)
            if total == 0:  # segmentation offload: the length did not fit, the frame has it
                total = wire_end - at
            if header < 20 or total < header:
                return BAD_IP_HEADER
            flags = be16(data, at + 6)
            fragment_offset, more, fragment_id = (flags & 0x1FFF) * 8, (flags & 0x2000) != 0, be16(data, at + 4)
            protocol = u8(data, at + 9)
            packet.src_high = ZERO
            packet.src_low = MAPPED | np.uint64(be32(data, at + 12))
            packet.dst_high = ZERO
            packet.dst_low = MAPPED | np.uint64(be32(data, at + 16))
            packet.ip_bytes = total
            limit = at + total
            body = at + header
        elif version == 6:
            if end - at < 40:
                return CUT_IP_HEADER
            total = be16(data, at + 4) + 40
            if total == 40 and u8(data, at + 6) != 59:  # a jumbo payload, or segmentation offload
                total = max(wire_end - at, 40)
            protocol = u8(data, at + 6)
            packet.src_high = be64(data, at + 8)
            packet.src_low = be64(data, at + 16)
            packet.dst_high = be64(data, at + 24)
            packet.dst_low = be64(data, at + 32)
            packet.ip_bytes = total
            limit = at + total
            body = at + 40
            while protocol == 0 or protocol == 43 or protocol == 60 or protocol == 44:
                if min(end, limit) - body < 8:
                    return CUT_IP_HEADER
                following = u8(data, body)
                if protocol == 44:
                    field = be16(data, body + 2)
                    fragment_offset, more, fragment_id = field & 0xFFF8, (field & 1) != 0, be32(data, body + 4)
                    body += 8
                else:
                    body += (u8(data, body + 1) + 1) * 8
                protocol = following
                if fragment_offset > 0:
                    break
        else:
            return BAD_IP_HEADER
        if body > limit:
            return BAD_IP_HEADER
        stop = max(min(end, limit), body)

        # A tunnel: note the outer addresses and go round again.
        if fragment_offset == 0 and enter_tunnels:
            inner = np.int64(-1)
            tunnel, vni = NO_TUNNEL, np.int64(NO_VNI)
            if (
                (protocol == 4 or protocol == 41)
                and stop - body >= 1
                and u8(data, body) >> 4 == (4 if protocol == 4 else 6)
            ):
                inner, kind = body, L_IP
                if protocol == 4:
                    tunnel = IPIP if version == 4 else FOUR_IN_SIX
                else:
                    tunnel = SIX_IN_FOUR if version == 4 else IPIP
            elif protocol == UDP and stop - body >= 16:
                port = be16(data, body + 2)
                if (port == 4789 or port == 8472) and u8(
                    data, body + 8
                ) & 0x7F == 0x08:  # with or without a group policy
                    inner, kind, tunnel, vni = body + 16, L_ETHERNET, VXLAN, be24(data, body + 12)
                elif port == 6081 and u8(data, body + 8) >> 6 == 0:
                    inner, tunnel, vni = body + 16 + (u8(data, body + 8) & 0x3F) * 4, GENEVE, be24(data, body + 12)
                    ethertype = be16(data, body + 10)
                    kind = L_ETHERNET if ethertype == TEB_TYPE else L_TYPE
            elif protocol == 47 and stop - body >= 4:
                flags = be16(data, body)
                ethertype = be16(data, body + 2)
                if flags & 0x7 == 0 and flags & 0x4000 == 0:
                    inner = body + 4 + (4 if flags & 0x8000 else 0)
                    if flags & 0x2000:
                        if stop - inner >= 4:
                            vni = be32(data, inner)
                        inner += 4
                    if flags & 0x1000:
                        inner += 4
                    tunnel = GRE
                    kind = L_ETHERNET if ethertype == TEB_TYPE else L_TYPE
                    if ethertype == 0x88BE and flags & 0x1000:  # ERSPAN type II
                        inner, kind = inner + 8, L_ETHERNET
                    elif ethertype == 0x88BE:  # ERSPAN type I has no header of its own
                        kind = L_ETHERNET
                    elif ethertype != TEB_TYPE and ethertype != IPV4_TYPE and ethertype != IPV6_TYPE:
                        inner = np.int64(-1)
            if inner >= 0 and inner < stop:
                packet.outer_src_high = packet.src_high
                packet.outer_src_low = packet.src_low
                packet.outer_dst_high = packet.dst_high
                packet.outer_dst_low = packet.dst_low
                packet.tunnel = tunnel
                packet.vni = vni
                at = inner
                continue
        break

    return transport(
        data, body, stop, limit, protocol, version, fragment_offset, more, fragment_id, packet, fragments, seed
    )


@inline
def transport(data, body, stop, limit, protocol, version, fragment_offset, more, fragment_id, packet, fragments, seed):
    packet.protocol = protocol
    packet.six = 1 if version == 6 else 0
    packet.src_port = 0
    packet.dst_port = 0
    packet.ports = 0
    packet.tcp_flags = 0
    packet.seq = 0
    packet.window = -1
    packet.icmp_type = -1
    packet.icmp_code = -1
    packet.payload = stop
    packet.length = 0
    packet.captured = 0
    ported = protocol == TCP or protocol == UDP or protocol == SCTP or protocol == UDPLITE or protocol == DCCP
    fragment = np.uint64(0)
    if fragment_offset > 0 or more:
        fragment = fragment_key(packet, fragment_id, seed)
    if fragment_offset > 0:
        if not ported:
            return KEPT
        slot = fragments[fragment & np.uint64(MAX_FRAGMENTS - 1)]
        if slot.used == 0 or slot.key != fragment:
            return ORPHAN_FRAGMENT
        packet.src_port = np.int64(slot.ports) >> 16
        packet.dst_port = np.int64(slot.ports) & 0xFFFF
        packet.ports = 1
        return KEPT
    if ported:
        if limit - body < 4:
            return BAD_TRANSPORT_HEADER
        if stop - body < 4:
            return CUT_TRANSPORT_HEADER
        packet.src_port = be16(data, body)
        packet.dst_port = be16(data, body + 2)
        packet.ports = 1
        if more:
            slot = fragments[fragment & np.uint64(MAX_FRAGMENTS - 1)]
            slot.key = fragment
            slot.ports = np.uint32((np.int64(packet.src_port) << 16) | packet.dst_port)
            slot.used = 1
    if protocol == TCP:
        if stop - body >= 16:
            header = (u8(data, body + 12) >> 4) * 4
            packet.tcp_flags = u8(data, body + 13)
            packet.seq = be32(data, body + 4)
            packet.window = be16(data, body + 14)
            if header >= 20:
                packet.payload = body + header
                packet.length = max(limit - body - header, 0)
                packet.captured = max(stop - body - header, 0)
    elif protocol == UDP:
        packet.payload = body + 8
        packet.length = max(limit - body - 8, 0)
        packet.captured = max(stop - body - 8, 0)
        if stop - body >= 6:
            datagram = be16(data, body + 4)
            if datagram >= 8 and not more:  # octets behind the datagram are no part of it
                packet.length = min(packet.length, datagram - 8)
                packet.captured = min(packet.captured, datagram - 8)
    elif (protocol == ICMP or protocol == ICMPV6) and stop - body >= 2:
        packet.icmp_type = u8(data, body)
        packet.icmp_code = u8(data, body + 1)
    return KEPT


@inline
def fragment_key(packet, fragment_id, seed):
    """One word for a datagram (RFC 791 §2.3, RFC 8200 §4.5): addresses, protocol and identification."""
    word = packet.src_high ^ seed
    word = mix(word) ^ packet.src_low
    word = mix(word) ^ packet.dst_high
    word = mix(word) ^ packet.dst_low
    return mix(mix(word) ^ np.uint64((fragment_id << 8) | packet.protocol))
