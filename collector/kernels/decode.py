"""From a frame to the innermost flow's addresses, ports and lengths.

``decode`` fills one ``PACKET`` and returns ``KEPT`` or why the packet is discarded. Sources: RFC 9293 (TCP), RFC 768 (UDP),
RFC 9260 (SCTP), RFC 4302 (AH, which is not encrypted); ``link``, ``network`` and ``tunnels`` name theirs.
"""

import numpy as np

from collector.kernels.hashing import datagram_key
from collector.kernels.jit import inline
from collector.kernels.layout import (
    AH,
    BAD_IP_HEADER,
    BAD_TRANSPORT_HEADER,
    CUT_TRANSPORT_HEADER,
    DCCP,
    ICMP,
    ICMPV6,
    KEPT,
    NO_TUNNEL,
    NO_VNI,
    SCTP,
    TCP,
    UDP,
    UDPLITE,
)
from collector.kernels.link import L_NONE, find_ip, open_link, vlan_of
from collector.kernels.load import be16, be32, u8
from collector.kernels.network import read_ip
from collector.kernels.tunnels import open_tunnel

ZERO = np.uint64(0)


@inline
def decode(control, data, frame, packet, most):
    """``most`` tunnels are entered; what is in a further one is payload."""
    end, wire_end = frame.offset + frame.captured, frame.offset + np.int64(frame.wire)
    packet.time = frame.time
    packet.interface = frame.interface
    packet.vlan = vlan_of(frame.tag)
    packet.tunnel = NO_TUNNEL
    packet.levels = 0
    packet.carrier = ZERO
    packet.vni = NO_VNI
    at, kind, ethertype = open_link(data, frame.offset, end, frame.link, packet)
    if kind == L_NONE:
        return ethertype
    while True:
        at, reason = find_ip(data, at, end, kind, ethertype, packet)
        if reason != KEPT:
            return reason
        outer_src_high, outer_src_low = packet.src_high, packet.src_low
        outer_dst_high, outer_dst_low = packet.dst_high, packet.dst_low
        reason, protocol, body, limit = read_ip(data, at, end, wire_end, packet)
        if reason != KEPT:
            return reason
        if body > limit:
            return BAD_IP_HEADER
        if packet.levels > 0:
            packet.outer_src_high, packet.outer_src_low = outer_src_high, outer_src_low
            packet.outer_dst_high, packet.outer_dst_low = outer_dst_high, outer_dst_low
        stop = max(min(end, limit), body)
        if protocol == AH and stop - body >= 12 and packet.fragment_at == 0:
            protocol, body = u8(data, body), min(body + (u8(data, body + 1) + 2) * 4, stop)
        if packet.fragment_at == 0 and packet.levels < most:
            inner, kind, ethertype, tunnel, vni = open_tunnel(data, body, stop, protocol, packet)
            if inner >= 0 and inner < stop:
                if packet.more and protocol == UDP:
                    packet.protocol = protocol
                    packet.carrier = datagram_key(control, packet)
                    packet.carrier_ports = be32(data, body)
                packet.levels += 1
                packet.tunnel = tunnel
                packet.vni = vni
                at = inner
                continue
        return read_transport(data, body, stop, limit, protocol, packet)


@inline
def read_transport(data, body, stop, limit, protocol, packet):
    packet.protocol = protocol
    packet.src_port = 0
    packet.dst_port = 0
    packet.packets = 1
    packet.since = packet.time
    packet.complete = -1
    packet.payload = stop
    packet.length = 0
    packet.captured = 0
    packet.tcp_flags = 0
    packet.icmp_type = -1
    packet.icmp_code = -1
    packet.window = -1
    if packet.fragment_at > 0:
        packet.payload = body
        packet.length = max(limit - body, 0)
        packet.captured = stop - body
        return KEPT
    if protocol == TCP or protocol == UDP or protocol == SCTP or protocol == UDPLITE or protocol == DCCP:
        if limit - body < 4:
            return BAD_TRANSPORT_HEADER
        if stop - body < 4:
            return CUT_TRANSPORT_HEADER
        packet.src_port = be16(data, body)
        packet.dst_port = be16(data, body + 2)
    if protocol == TCP:
        read_tcp(data, body, stop, limit, packet)
    elif protocol == UDP:
        read_udp(data, body, stop, limit, packet)
    elif protocol == ICMP or protocol == ICMPV6:
        if stop - body >= 2:
            packet.icmp_type = u8(data, body)
            packet.icmp_code = u8(data, body + 1)
    return KEPT


@inline
def read_tcp(data, body, stop, limit, packet):
    packet.seq = 0
    packet.ack = 0
    if stop - body < 16:
        return
    header = (u8(data, body + 12) >> 4) * 4
    packet.tcp_flags = u8(data, body + 13)
    packet.seq = be32(data, body + 4)
    packet.ack = be32(data, body + 8)
    packet.window = be16(data, body + 14)
    if header >= 20:
        packet.payload = body + header
        packet.length = max(limit - body - header, 0)
        packet.captured = max(stop - body - header, 0)


@inline
def read_udp(data, body, stop, limit, packet):
    packet.payload = body + 8
    packet.length = max(limit - body - 8, 0)
    packet.captured = max(stop - body - 8, 0)
    if stop - body >= 6:
        size = be16(data, body + 4)
        if size >= 8 and packet.more == 0:  # octets behind the datagram are no part of it
            packet.length = min(packet.length, size - 8)
            packet.captured = min(packet.captured, size - 8)
