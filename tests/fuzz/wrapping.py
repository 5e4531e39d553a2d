"""The same packets inside tunnels, inside one another, and behind other link headers."""

import struct
from collections.abc import Callable

from scapy.contrib.erspan import ERSPAN_II, ERSPAN_III
from scapy.contrib.geneve import GENEVE
from scapy.contrib.mpls import MPLS
from scapy.layers.inet import GRE, ICMP, IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import GRE_PPTP, Dot1AD, Dot1Q
from scapy.layers.ppp import PPP, PPPoE
from scapy.layers.vxlan import VXLAN
from scapy.packet import Packet, Raw

from tests.support.frames import ether

OUTER, OUTER_6 = IP(src="192.0.2.1", dst="192.0.2.2"), IPv6(src="2001:db8:1::1", dst="2001:db8:1::2")
ETHERTYPES = {4: 0x0800, 6: 0x86DD}

Wrap = Callable[[bytes], Packet]  # from an Ethernet frame to what follows another Ethernet header

# Numbers of the registry of link types.
NULL, ETHERNET, PPP_LINK, RAW, LOOP, COOKED, NFLOG, COOKED2 = 0, 1, 9, 101, 108, 113, 239, 276


def _ip(frame: bytes) -> bytes:
    return frame[14:]


def _type(frame: bytes) -> int:
    return int.from_bytes(frame[12:14], "big")


WRAPS: dict[str, Wrap] = {
    "vxlan": lambda frame: OUTER / UDP(sport=50000, dport=4789) / VXLAN(vni=7, flags=8) / Raw(frame),
    "vxlan over IPv6": lambda frame: OUTER_6 / UDP(dport=8472) / VXLAN(vni=8, flags=8) / Raw(frame),
    "vxlan-gpe": lambda frame: OUTER / UDP(dport=4790) / Raw(b"\x0c\0\0\3\0\0\1\0" + frame),
    "geneve": lambda frame: OUTER / UDP(dport=6081) / GENEVE(vni=9, proto=0x6558) / Raw(frame),
    "geneve with options": lambda frame: (
        OUTER / UDP(dport=6081) / Raw(b"\x02\x40\x65\x58\0\0\x09\0" + b"\1\2\x80\1abcd" + frame)
    ),
    "gre": lambda frame: OUTER / GRE(proto=_type(frame)) / Raw(_ip(frame)),
    "gre with a key": lambda frame: OUTER / GRE(proto=0x6558, key_present=1, key=5, seqnum_present=1) / Raw(frame),
    "gre with a checksum": lambda frame: OUTER_6 / GRE(proto=_type(frame), chksum_present=1) / Raw(_ip(frame)),
    "erspan II": lambda frame: OUTER / GRE(proto=0x88BE, seqnum_present=1) / ERSPAN_II(session_id=3) / Raw(frame),
    "erspan I": lambda frame: OUTER / GRE(proto=0x88BE) / Raw(frame),
    "erspan III": lambda frame: OUTER / GRE(proto=0x22EB, seqnum_present=1) / ERSPAN_III(session_id=3) / Raw(frame),
    "pptp": lambda frame: (
        OUTER / GRE_PPTP(call_id=4, seqnum_present=1, payload_len=len(frame)) / Raw(b"\xff\3\0\x21" + _ip(frame))
    ),
    "ipip": lambda frame: OUTER.copy() / Raw(_ip(frame)) if _type(frame) == 0x0800 else OUTER / Raw(b"none"),
    "6in4": lambda frame: IP(src="192.0.2.1", dst="192.0.2.2", proto=41) / Raw(_ip(frame)),
    "4in6": lambda frame: IPv6(src="2001:db8:1::1", dst="2001:db8:1::2", nh=4) / Raw(_ip(frame)),
    "gtp-u": lambda frame: OUTER / UDP(dport=2152) / Raw(b"\x30\xff" + struct.pack("!HI", len(frame), 6) + _ip(frame)),
    "teredo": lambda frame: OUTER / UDP(dport=3544) / Raw(_ip(frame)),
    "wireguard": lambda frame: OUTER / UDP(dport=51820) / Raw(b"\4\0\0\0" + bytes(12) + frame),
}


def tunnelled(frames: list[bytes]) -> list[bytes]:
    """Each wrap of each frame, and each wrap of a wrap of the first."""
    told = [_again(wrap, frame) for frame in frames for wrap in WRAPS.values()]
    nested = [_again(outer, _again(inner, frames[0])) for inner in WRAPS.values() for outer in WRAPS.values()]
    deep = frames[0]
    wires = frames[0]  # pseudowires in pseudowires, which no IP header interrupts
    for _ in range(9):
        deep = _again(WRAPS["vxlan"], deep)
        wires = bytes(ether() / MPLS(label=18, s=1) / Raw(bytes(4) + wires))
        nested += [deep, wires]
    return told + nested


def _again(wrap: Wrap, frame: bytes) -> bytes:
    """IP in IP needs its protocol said where the payload is raw octets."""
    packet = wrap(frame)
    if isinstance(packet, IP) and isinstance(packet.payload, Raw) and packet.proto not in (41,):
        packet.proto = 4
    return bytes(ether() / packet)


def tagged(frames: list[bytes]) -> list[bytes]:
    """VLAN tags, MPLS with and without a control word, PPPoE, provider backbone, LLC/SNAP, a network service header."""
    told = []
    for frame in frames:
        kind, packet = _type(frame), Raw(_ip(frame))
        told += [
            ether() / Dot1Q(vlan=5, type=kind) / packet,
            ether() / Dot1AD(vlan=5) / Dot1Q(vlan=0, type=kind) / packet,
            ether() / MPLS(label=16, s=0) / MPLS(label=17, s=1) / packet,
            ether() / MPLS(label=18, s=1) / Raw(bytes(4) + frame),
            ether() / MPLS(label=18, s=1) / Raw(frame),
            ether() / PPPoE(sessionid=1) / PPP(proto=0x21 if kind == 0x0800 else 0x57) / packet,
            ether(type=0x88E7) / Raw(struct.pack("!I", 0x10000) + frame),
            ether(type=0x88A8) / Raw(struct.pack("!HHI", 9, 0x88E7, 0x10000) + frame),
            ether(type=len(packet) + 8) / Raw(b"\xaa\xaa\3\0\0\0" + frame[12:14]) / packet,
            ether(type=0x894F) / Raw(b"\0\2\2\1\0\0\1\0" + packet.load),
        ]
    return [bytes(frame) for frame in told]


def linked(frames: list[bytes]) -> list[tuple[int, bytes]]:
    """(link type, frame): what follows the Ethernet header, behind other link headers."""
    told: list[tuple[int, bytes]] = []
    for frame in frames:
        packet, kind = _ip(frame), frame[12:14]
        four = _type(frame) == 0x0800
        payload = struct.pack("<HH", len(packet) + 4, 9) + packet + bytes(-len(packet) % 4)
        prefix = struct.pack("<HHHH", 8, 1, 5, 10) + b"eth\0"
        told += [
            (NULL, struct.pack("<I", 2 if four else 30) + packet),
            (NULL, struct.pack(">I", 2 if four else 24) + packet),
            (LOOP, struct.pack(">I", 2 if four else 24) + packet),
            (PPP_LINK, b"\xff\3\0" + (b"\x21" if four else b"\x57") + packet),
            (COOKED, b"\0\0\0\1\0\6\2\0\0\0\0\1\0\0" + kind + packet),
            (COOKED2, kind + struct.pack("!HIHBB", 0, 3, 1, 0, 6) + bytes(8) + packet),
            (NFLOG, (b"\2" if four else b"\x0a") + b"\0\0\5" + prefix + payload),
            *((link, packet) for link in (12, 14, RAW, 228 if four else 229)),
        ]
    return told


def plain() -> list[bytes]:
    """The packets that are wrapped: a few of each family."""
    four, six = IP(src="10.2.0.1", dst="10.2.0.2"), IPv6(src="fd00:2::1", dst="fd00:2::2")
    query = bytes.fromhex("00070100000100000000000001610765786d616d706c6500" + "00010001")
    bodies = [UDP(sport=5300, dport=53) / Raw(query), TCP(sport=4444, dport=80, flags="S")]
    told = [ether() / head / body for head in (four, six) for body in bodies]
    told += [ether() / four / ICMP(), ether() / IP(src="10.2.0.1", dst="10.2.0.2", frag=2, id=9, proto=17) / bytes(24)]
    return [bytes(frame) for frame in told]
