"""From the first octet of a frame, or of what a tunnel carries, to an IP header.

Sources: the registry of link types of the pcap file format, IEEE 802.3, 802.1Q, 802.1AE (MACsec without encryption),
802.1ah (MAC-in-MAC), 802.11, RFC 3032 (MPLS), RFC 4385 (pseudowires), RFC 2516 (PPPoE), RFC 1661 (PPP).
"""

import numpy as np

from collector.kernels.jit import inline
from collector.kernels.layout import CUT_LINK_HEADER, INTERFACE_INDEX, KEPT, NOT_IP, UNKNOWN_LINK_TYPE
from collector.kernels.load import be16, be32, le16, u8

NULL, ETHERNET, PPP, RAW_BSD, RAW_OPENBSD, PPP_HDLC, RAW = 0, 1, 9, 12, 14, 50, 101
WIFI, LOOP, COOKED, RADIOTAP, RAW4, RAW6, NFLOG, COOKED2 = 105, 108, 113, 127, 228, 229, 239, 276

# What comes next in a frame.
L_ETHERNET, L_TYPE, L_IP, L_PPP, L_LLC, L_WIFI, L_NONE = range(7)

IPV4_TYPE, IPV6_TYPE, TEB_TYPE, PPP_TYPE = 0x0800, 0x86DD, 0x6558, 0x880B
MPLS_TYPE, MPLS_UPSTREAM_TYPE, PPPOE_TYPE, PBB_TYPE, MACSEC_TYPE = 0x8847, 0x8848, 0x8864, 0x88E7, 0x88E5
NFLOG_PAYLOAD = 9


@inline
def open_link(data, at, end, link, packet):
    """Returns (place behind the link header, what comes next, its EtherType); ``L_NONE`` with the reason as the type."""
    if link == ETHERNET:
        return at, L_ETHERNET, 0
    if link == RAW or link == RAW4 or link == RAW6 or link == RAW_BSD or link == RAW_OPENBSD:
        return at, L_IP, 0
    if link == NULL or link == LOOP:
        return (at + 4, L_IP, 0) if end - at >= 4 else (at, L_NONE, CUT_LINK_HEADER)
    if link == COOKED:
        return (at + 16, L_TYPE, be16(data, at + 14)) if end - at >= 16 else (at, L_NONE, CUT_LINK_HEADER)
    if link == COOKED2:
        if end - at < 20:
            return at, L_NONE, CUT_LINK_HEADER
        packet.interface = INTERFACE_INDEX | (be32(data, at + 4) & 0x7FFFFFFF)
        return at + 20, L_TYPE, be16(data, at)
    if link == PPP or link == PPP_HDLC:
        return at, L_PPP, 0
    if link == WIFI:
        return at, L_WIFI, 0
    if link == RADIOTAP:
        return (at + le16(data, at + 2), L_WIFI, 0) if end - at >= 4 else (at, L_NONE, CUT_LINK_HEADER)
    if link == NFLOG:
        at = nflog_payload(data, at, end)
        return (at, L_IP, 0) if at >= 0 else (at, L_NONE, CUT_LINK_HEADER)
    return at, L_NONE, UNKNOWN_LINK_TYPE


@inline
def nflog_payload(data, at, end):
    """Behind four octets of header come attributes: length, type, value, padded to four octets."""
    at += 4
    while end - at >= 4:
        size, kind = le16(data, at), le16(data, at + 2) & 0x7FFF
        if kind == NFLOG_PAYLOAD:
            return at + 4
        if size < 4:
            break
        at += (size + 3) & ~3
    return np.int64(-1)


@inline
def find_ip(data, at, end, kind, ethertype, packet):
    """Walk tags, labels and shims; returns (place of the IP header, ``KEPT`` or why there is none)."""
    while kind != L_IP:
        if kind == L_ETHERNET:
            if end - at < 14:
                return at, CUT_LINK_HEADER
            ethertype = be16(data, at + 12)
            at += 14
            kind = L_TYPE
        if kind == L_TYPE:
            if ethertype == IPV4_TYPE or ethertype == IPV6_TYPE:
                break
            at, kind, ethertype = behind_type(data, at, end, ethertype, packet)
        elif kind == L_PPP:
            at, kind, ethertype = behind_ppp(data, at, end)
        elif kind == L_LLC:
            at, kind, ethertype = behind_llc(data, at, end)
        elif kind == L_WIFI:
            at, kind, ethertype = behind_wifi(data, at, end)
        if kind == L_NONE:
            return at, ethertype
    return at, KEPT


@inline
def behind_type(data, at, end, ethertype, packet):
    """What an EtherType other than IP leads to."""
    room = end - at
    if ethertype == 0x8100 or ethertype == 0x88A8 or ethertype == 0x9100 or ethertype == 0x9200:
        if room < 4:
            return at, L_NONE, CUT_LINK_HEADER
        vlan = vlan_of(be16(data, at))
        if vlan >= 0:
            packet.vlan = vlan
        return at + 4, L_TYPE, be16(data, at + 2)
    if ethertype == MPLS_TYPE or ethertype == MPLS_UPSTREAM_TYPE:
        return behind_label(data, at, end, ethertype)
    if ethertype == PPPOE_TYPE:
        return (at + 6, L_PPP, 0) if room >= 6 else (at, L_NONE, CUT_LINK_HEADER)
    if ethertype == PPP_TYPE:
        return at, L_PPP, 0
    if ethertype == PBB_TYPE:
        return (at + 4, L_ETHERNET, 0) if room >= 4 else (at, L_NONE, CUT_LINK_HEADER)
    if ethertype == MACSEC_TYPE:
        return behind_macsec(data, at, end)
    if ethertype <= 1500:  # a length: IEEE 802.2 follows
        return at, L_LLC, 0
    return at, L_NONE, NOT_IP


@inline
def vlan_of(tag):
    """-1: none. A tag of VLAN 0 only carries a priority (IEEE 802.1Q §6.9)."""
    return tag & 0xFFF if tag >= 0 and tag & 0xFFF != 0 else -1


@inline
def behind_label(data, at, end, ethertype):
    """One MPLS label; behind the last of a stack is IP, or an Ethernet frame behind a control word of zeros."""
    if end - at < 5:
        return at, L_NONE, CUT_LINK_HEADER
    if u8(data, at + 2) & 1 == 0:
        return at + 4, L_TYPE, ethertype
    nibble = u8(data, at + 4) >> 4
    if nibble == 4 or nibble == 6:
        return at + 4, L_IP, 0
    if nibble == 0 and end - at >= 8:
        return at + 8, L_ETHERNET, 0
    return at, L_NONE, NOT_IP


@inline
def behind_macsec(data, at, end):
    """IEEE 802.1AE §9.3: a frame that is only authenticated is readable; the channel's identifier may be left out."""
    if end - at < 16:
        return at, L_NONE, CUT_LINK_HEADER
    control = u8(data, at)
    if control & 0x0C:  # encrypted, or changed
        return at, L_NONE, NOT_IP
    at += 14 if control & 0x20 else 6
    return at + 2, L_TYPE, be16(data, at)


@inline
def behind_ppp(data, at, end):
    """The address and control octets may be left out, and the protocol be one octet (RFC 1661 §6.5, §6.6)."""
    if end - at >= 2 and be16(data, at) == 0xFF03:
        at += 2
    if end - at < 2:
        return at, L_NONE, CUT_LINK_HEADER
    protocol = u8(data, at)
    at += 1
    if protocol & 1 == 0:
        protocol = (protocol << 8) | u8(data, at)
        at += 1
    if protocol == 0x21 or protocol == 0x57:
        return at, L_IP, 0
    return at, L_NONE, NOT_IP


@inline
def behind_llc(data, at, end):
    """IEEE 802.2 with a SNAP header that says an EtherType (RFC 1042)."""
    if end - at < 8:
        return at, L_NONE, CUT_LINK_HEADER
    if be16(data, at) != 0xAAAA or be32(data, at + 2) & 0xFFFFFF00 != 0x03000000:
        return at, L_NONE, NOT_IP
    ethertype = be16(data, at + 6)
    return (at + 8, L_TYPE, ethertype) if ethertype > 1500 else (at, L_NONE, NOT_IP)


@inline
def behind_wifi(data, at, end):
    """IEEE 802.11 §9.2.4: data frames that are not encrypted."""
    if end - at < 24:
        return at, L_NONE, CUT_LINK_HEADER
    kind, flags = u8(data, at), u8(data, at + 1)
    if kind & 0x0C != 0x08 or kind & 0x40 or flags & 0x40:  # not data, data with none in it, protected
        return at, L_NONE, NOT_IP
    at += 24
    if flags & 3 == 3:
        at += 6
    if kind & 0x80:  # with quality of service
        at += 6 if flags & 0x80 else 2
    return at, L_LLC, 0
