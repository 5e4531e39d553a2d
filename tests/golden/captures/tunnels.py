"""Packets in packets."""

import struct

from scapy.contrib.geneve import GENEVE
from scapy.layers.inet import GRE, IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.vxlan import VXLAN
from scapy.packet import Packet

from tests.golden.captures.dns import RA, A
from tests.support.frames import Timed, ether, timed
from tests.support.segments import Connection, datagram, framed, ipv4, ipv6, segment, udp

OUTER, OUTER_BACK = IP(src="192.0.2.1", dst="192.0.2.2"), IP(src="192.0.2.2", dst="192.0.2.1")
OUTER_6 = IPv6(src="2001:db8::1", dst="2001:db8::2")
FOUR = IP(src="10.0.0.1", dst="10.0.0.2") / UDP(sport=1111, dport=2222) / b"four"
SIX = IPv6(src="fd00::1", dst="fd00::2") / UDP(sport=1111, dport=2222) / b"six"
WIRE = 0x6558  # Ethernet in GRE and Geneve


def inner_four(number: int) -> Packet:
    """A flow of its own for each kind of tunnel."""
    return IP(src=f"10.0.0.{number}", dst="10.0.9.9") / UDP(sport=1111, dport=2222) / b"four"


def vxlan() -> list[Timed]:
    """A connection whose two directions have outer ports of their own; port 8472 of Linux, DNS inside; a group policy."""
    talk, frames = Connection(server=("10.0.0.2", 8080)), []
    for place, inside in enumerate([*talk.open(), talk.send("PA", b"hello"), *talk.close()]):
        back = inside[26:30] == bytes((10, 0, 0, 2))
        head = (OUTER_BACK if back else OUTER) / UDP(sport=50000 + place, dport=4789, chksum=0)
        frames.append(ether() / head / VXLAN(vni=42, flags=8) / inside)
    ends = ("10.244.1.5", 40000), ("10.96.0.10", 53)
    for outer, inside in ((OUTER, udp(*ends, A.to_wire())), (OUTER_BACK, udp(*ends[::-1], RA.to_wire()))):
        frames.append(ether() / outer / UDP(sport=50000, dport=8472, chksum=0) / VXLAN(vni=1, flags=8) / inside)
    policy = VXLAN(vni=0, flags=0x88, gpid=99)
    frames.append(ether() / OUTER / UDP(sport=50000, dport=4789) / policy / ether() / inner_four(3))
    return timed(frames)


def geneve_with_options() -> list[Timed]:
    """RFC 8926: Ethernet behind options, IP without Ethernet, over IPv6, and options longer than the packet."""
    option = struct.pack(">HBB", 0x0102, 0x80, 2) + bytes(8)
    head = UDP(sport=50000, dport=6081, chksum=0)
    frames = [
        ether() / OUTER / head / (struct.pack(">BBHI", 3, 0, WIRE, 7 << 8) + option + bytes(ether() / inner_four(1))),
        ether() / OUTER_6 / UDP(sport=50000, dport=6081) / GENEVE(vni=0xFFFFFF) / ether() / inner_four(2),
        ether() / OUTER / head / GENEVE(vni=8, proto=0x0800) / inner_four(3),
        ether() / OUTER / head / GENEVE(vni=8, proto=0x86DD) / SIX,
        ether() / OUTER / head / (struct.pack(">BBHI", 63, 0, 0x0800, 9 << 8) + bytes(inner_four(4))),
    ]
    return timed(frames)


def ip_in_ip() -> list[Timed]:
    """RFC 2003 and 4213, RFC 2473: each family in each."""
    inner_six = IPv6(src="fd00::3", dst="fd00::2") / UDP(sport=1111, dport=2222)
    return timed(
        [ether() / OUTER / FOUR, ether() / OUTER / SIX, ether() / OUTER_6 / FOUR, ether() / OUTER_6 / inner_six]
    )


def gre() -> list[Timed]:
    """RFC 2784 and 2890 with checksum, key and sequence number; a bridge; ERSPAN I, II and III, the last with its sub-header."""
    inside = [bytes(ether() / inner_four(number)) for number in range(10)]
    second = struct.pack(">HHI", 0x1064, 0x0019, 0x00000003)  # version 1, VLAN 100; session 25; index 3
    third = struct.pack(">HHIHH", 0x2064, 0x001A, 1, 0, 0)  # version 2, session 26; no sub-header
    longer = struct.pack(">HHIHHQ", 0x2064, 0x001B, 1, 0, 1, 0)
    frames = [
        ether() / OUTER / GRE() / inner_four(1),
        ether() / OUTER / GRE(key_present=1, key=0xFFFFFFFF) / inner_four(2),
        ether() / OUTER / GRE(chksum_present=1, key_present=1, seqnum_present=1, key=5) / inner_four(3),
        ether() / OUTER / GRE(proto=WIRE, key_present=1, key=77) / inside[4],
        ether() / OUTER / GRE(proto=0x88BE) / inside[5],
        ether() / OUTER / GRE(proto=0x88BE, seqnum_present=1, sequence_number=1) / (second + inside[6]),
        ether() / OUTER / GRE(proto=0x22EB, seqnum_present=1, sequence_number=2) / (third + inside[7]),
        ether() / OUTER / GRE(proto=0x22EB, seqnum_present=1, sequence_number=3) / (longer + inside[8]),
        ether() / OUTER / GRE(proto=0x86DD) / SIX,
        ether() / OUTER / GRE(proto=0x0806) / bytes(28),
    ]
    return timed(frames)


def gre_in_udp() -> list[Timed]:
    """RFC 8086."""
    head = OUTER / UDP(sport=50000, dport=4754)
    bridged = head / GRE(proto=WIRE) / ether() / inner_four(2)
    return timed([ether() / head / GRE(key_present=1, key=6) / inner_four(1), ether() / bridged])


def pptp() -> list[Timed]:
    """RFC 2637: enhanced GRE with PPP in it, with and without acknowledgement; one that only acknowledges."""
    frames = []
    for outer, call, inside in (
        (OUTER, 1, inner_four(1)),
        (OUTER_BACK, 2, IP(src="10.0.9.9", dst="10.0.0.1") / UDP(sport=2222, dport=1111)),
    ):
        payload = b"\xff\x03\x00\x21" + bytes(inside)
        for flags, tail in ((0x3001, b"\0\0\0\1"), (0x3081, b"\0\0\0\2\0\0\0\1")):
            head = struct.pack(">HHHH", flags, 0x880B, len(payload), call)
            frames.append(ether() / outer.copy() / (head + tail + payload))
            frames[-1][IP].proto = 47
    only = ether() / OUTER.copy() / struct.pack(">HHHHI", 0x2081, 0x880B, 0, 1, 2)
    only[IP].proto = 47
    return timed([*frames, only])


def nested() -> list[Timed]:
    """Five tunnels are entered; of six the innermost but one is the flow. The innermost kind is told, and no outer address."""
    frames = []
    for levels in range(1, 7):
        packet = IP(src=f"10.0.0.{levels}", dst="10.0.9.9") / UDP(sport=1111, dport=2222)
        for level in range(levels):
            packet = IP(src=f"192.0.2.{level}", dst="192.0.2.99") / packet
        frames.append(ether() / packet)
    cloud = OUTER / UDP(sport=50000, dport=4789, chksum=0) / VXLAN(vni=3, flags=8) / ether()
    pods = IP(src="172.16.0.1", dst="172.16.0.2") / UDP(sport=50000, dport=6081, chksum=0) / GENEVE(vni=4, proto=0x0800)
    return timed([*frames, ether() / cloud / pods / inner_four(9)])


def recognised() -> list[Timed]:
    """WireGuard's four messages, ESP, ESP in UDP (RFC 3948) and IKE; a cookie on another port, and 64 octets of nothing."""
    a, b = ("10.0.0.1", 51820), ("10.0.0.2", 51820)
    hands = [udp(a, b, b"\1\0\0\0" + bytes(144)), udp(b, a, b"\2\0\0\0" + bytes(88))]
    data = [udp(a, b, b"\4\0\0\0" + bytes(28)), udp(b, a, b"\4\0\0\0" + bytes(28))]
    cilium = udp(("10.0.0.1", 51871), ("10.0.0.3", 51871), b"\4\0\0\0" + bytes(124))
    cookie = udp(("10.0.0.1", 40000), ("10.0.0.4", 9999), b"\3\0\0\0" + bytes(60))
    zeros = udp(("10.0.0.1", 40000), ("10.0.0.5", 9999), bytes(64))
    esp = ether() / IP(src="10.0.0.1", dst="10.0.0.2", proto=50) / bytes(range(80))
    request = (
        bytes(range(16)) + struct.pack(">BBBBII", 33, 0x20, 34, 8, 0, 60) + struct.pack(">BBH", 0, 0, 32) + bytes(28)
    )
    ike = udp(("10.0.0.1", 500), ("10.0.0.6", 500), request)
    natted = udp(("10.0.0.1", 4500), ("10.0.0.6", 4500), bytes([1, 2, 3, 4, 0, 0, 0, 1, *range(9, 81)]))
    return timed([*hands, *data, cilium, cookie, zeros, esp, ike, natted])


def authenticated() -> list[Timed]:
    """RFC 4302: behind AH everything can be read: UDP with DNS in it, TCP over IPv6, another packet; ESP cannot."""
    one, other = ("10.0.0.1", 40000), ("10.0.0.2", 53)
    six = segment(("fd00::1", 40000), ("fd00::2", 8080), "S", 1_000)[54:]
    frames = [
        framed(ipv4(one[0], other[0], 51, header(17) + datagram(one, other, A.to_wire()))),
        framed(ipv4(other[0], one[0], 51, header(17) + datagram(other, one, RA.to_wire()))),
        framed(ipv6("fd00::1", "fd00::2", 51, header(6) + six)),
        framed(ipv4("192.0.2.1", "192.0.2.2", 51, header(4) + bytes(inner_four(3)))),
        framed(ipv4("192.0.2.1", "192.0.2.2", 51, header(50) + bytes(range(60)))),
    ]
    return timed(frames)


def header(following: int) -> bytes:
    """An authentication header with twelve octets of check value."""
    return struct.pack(">BBHII", following, 4, 0, 0x1234, 1) + bytes(12)


CAPTURES = {
    "vxlan": vxlan,
    "geneve-with-options": geneve_with_options,
    "ipip-6in4-4in6": ip_in_ip,
    "gre-teb-erspan-i-ii-iii": gre,
    "gre-in-udp": gre_in_udp,
    "pptp": pptp,
    "nested-tunnels": nested,
    "wireguard-esp-recognised": recognised,
    "ah-is-not-encrypted": authenticated,
}
