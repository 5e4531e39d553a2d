"""Packets in packets: what an IP packet carries, where that is another packet.

Sources: RFC 7348 (VXLAN), RFC 8926 (Geneve), RFC 2003 and 4213 (IP in IP), RFC 2784 and 2890 (GRE), RFC 2637 (enhanced GRE
of PPTP), RFC 8086 (GRE in UDP), draft-foschiano-erspan (ERSPAN I to III).
"""

import numpy as np

from collector.kernels.jit import inline, kernel
from collector.kernels.layout import (
    ERSPAN,
    FOUR_IN_SIX,
    GENEVE,
    GRE,
    IPIP,
    NO_TUNNEL,
    NO_VNI,
    SIX_IN_FOUR,
    UDP,
    VXLAN,
)
from collector.kernels.link import (
    IPV4_TYPE,
    IPV6_TYPE,
    L_ETHERNET,
    L_IP,
    L_TYPE,
    L_WIFI,
    MPLS_TYPE,
    MPLS_UPSTREAM_TYPE,
    PPP_TYPE,
    TEB_TYPE,
)
from collector.kernels.load import be16, be24, be32, u8

IP_IN_IP, IPV6_IN_IP, GRE_PROTOCOL = 4, 41, 47
VXLAN_PORT, OLD_VXLAN_PORT, GENEVE_PORT, GRE_PORT = 4789, 8472, 6081, 4754
ERSPAN_TYPE, ERSPAN_III_TYPE = 0x88BE, 0x22EB
NONE = np.int64(-1)


@inline
def open_tunnel(data, at, stop, protocol, packet):
    """Returns (place of what is inside or -1, what comes next, its EtherType, kind of tunnel, its id)."""
    if protocol == UDP:
        if stop - at >= 16:
            port = be16(data, at + 2)
            if port == VXLAN_PORT or port == OLD_VXLAN_PORT or port == GENEVE_PORT or port == GRE_PORT:
                return open_udp(data, at, stop, port)
    elif protocol == IP_IN_IP or protocol == IPV6_IN_IP:
        if stop - at >= 1 and u8(data, at) >> 4 == (4 if protocol == IP_IN_IP else 6):
            kind = IPIP
            if packet.six and protocol == IP_IN_IP:
                kind = FOUR_IN_SIX
            elif not packet.six and protocol == IPV6_IN_IP:
                kind = SIX_IN_FOUR
            return at, L_IP, 0, kind, NONE
    elif protocol == GRE_PROTOCOL:
        return open_gre(data, at, stop)
    return NONE, L_IP, 0, NO_TUNNEL, NONE


@kernel
def open_udp(data, at, stop, port):
    flags, inner = u8(data, at + 8), at + 16
    if port == VXLAN_PORT or port == OLD_VXLAN_PORT:
        if flags & 0x7F == 0x08:  # with or without a group policy
            return inner, L_ETHERNET, 0, VXLAN, be24(data, at + 12)
    elif port == GENEVE_PORT:
        if flags >> 6 == 0:
            ethertype = be16(data, at + 10)
            kind = L_ETHERNET if ethertype == TEB_TYPE else L_TYPE
            return inner + (flags & 0x3F) * 4, kind, ethertype, GENEVE, be24(data, at + 12)
    else:
        return open_gre(data, at + 8, stop)
    return NONE, L_IP, 0, NO_TUNNEL, NONE


@kernel
def open_gre(data, at, stop):
    nothing = NONE, L_IP, 0, NO_TUNNEL, NONE
    if stop - at < 4:
        return nothing
    flags, ethertype = be16(data, at), be16(data, at + 2)
    version = flags & 7
    if version > 1 or flags & 0x4000 or (version == 1 and ethertype != PPP_TYPE):  # routing is obsolete (RFC 2784 §2.3)
        return nothing
    inner, vni = at + 4, np.int64(NO_VNI)
    if flags & 0x8000:
        inner += 4
    if flags & 0x2000:
        if stop - inner >= 4:
            vni = be32(data, inner) if version == 0 else vni  # a call of PPTP has another id in each direction
        inner += 4
    if flags & 0x1000:
        inner += 4
    if version == 1 and flags & 0x0080:
        inner += 4
    if ethertype == ERSPAN_TYPE or ethertype == ERSPAN_III_TYPE:
        return open_erspan(data, inner, stop, ethertype, flags)
    if ethertype == TEB_TYPE:
        return inner, L_ETHERNET, 0, GRE, vni
    if ethertype & 0xFE0F == 0x8200:  # 802.11 frames from an access point to its controller
        return inner, L_WIFI, 0, GRE, vni
    known = ethertype == IPV4_TYPE or ethertype == IPV6_TYPE or ethertype == PPP_TYPE
    if known or ethertype == MPLS_TYPE or ethertype == MPLS_UPSTREAM_TYPE:
        return inner, L_TYPE, ethertype, GRE, vni
    return nothing


@kernel
def open_erspan(data, at, stop, ethertype, flags):
    """Type I has no header of its own, type II eight octets, type III twelve, and eight more where its O bit says so.

    A mirror may take each direction of a connection for a session of its own, so the session tells nothing of the connection.
    """
    if ethertype == ERSPAN_TYPE and not flags & 0x1000:
        return at, L_ETHERNET, 0, ERSPAN, NONE
    size = 8 if ethertype == ERSPAN_TYPE else 12
    if stop - at < size:
        return NONE, L_IP, 0, NO_TUNNEL, NONE
    kind = L_ETHERNET
    if size == 12:
        kind = L_IP if u8(data, at + 10) >> 2 & 0x1F == 2 else L_ETHERNET
        size += 8 if u8(data, at + 11) & 1 else 0
    return at + size, kind, 0, ERSPAN, NONE
