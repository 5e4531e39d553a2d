"""What stands before the first IP header, odd lengths, and what a capture leaves out."""

import struct

from scapy.contrib.mpls import MPLS
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Dot1AD, Dot1Q
from scapy.layers.ppp import PPP, PPPoE
from scapy.packet import Packet

from tests.support import frames as made
from tests.support.frames import Timed, ether, timed
from tests.support.segments import Connection


def four(number: int) -> Packet:
    """A flow of its own for each kind of frame."""
    return IP(src=f"10.0.0.{number}", dst="10.0.9.9") / UDP(sport=1111, dport=2222) / b"four"


def six(number: int) -> Packet:
    return IPv6(src=f"fd00::{number:x}", dst="fd00::99") / UDP(sport=1111, dport=2222) / b"six"


def tags_and_labels() -> list[Timed]:
    """802.1ad with 802.1Q, MPLS, a pseudowire (RFC 4385), PPPoE, 802.1ah, and 802.1AE with and without encryption."""
    inside = bytes(ether() / four(6))
    secured = bytes(four(8)) + bytes(16)  # the integrity check value is behind it
    frames = [
        ether() / Dot1AD(vlan=100) / Dot1Q(vlan=4095) / four(1),
        ether() / Dot1Q(vlan=0, prio=5) / four(2),
        ether() / MPLS(label=16, s=0) / MPLS(label=17, s=1) / four(3),
        ether(type=0x8848) / MPLS(label=16, s=1) / six(3),
        ether() / MPLS(label=16, s=1) / (bytes(4) + bytes(ether() / four(4))),
        ether() / PPPoE(sessionid=1) / PPP(proto=0x21) / four(5),
        ether() / PPPoE(sessionid=1) / PPP(proto=0x57) / six(5),
        ether(type=0x88E7) / (struct.pack(">I", 0x00012345) + inside),
        ether(type=0x88E5) / (b"\x00\0" + struct.pack(">I", 1) + b"\x08\x00" + bytes(four(7)) + bytes(16)),
        ether(type=0x88E5) / (b"\x20\0" + struct.pack(">I", 2) + bytes(8) + b"\x08\x00" + secured),
        ether(type=0x88E5) / (b"\x2c\0" + struct.pack(">I", 3) + bytes(8) + bytes(range(64))),
    ]
    return timed(frames)


def nflog(packet: bytes) -> bytes:
    """Family, version, resource; attributes for the prefix and the packet."""
    prefix = struct.pack("<HH", 4 + 5, 10) + b"drop\0" + bytes(3)
    return b"\2\0\0\1" + prefix + struct.pack("<HH", 4 + len(packet), 9) + packet


def wifi(packet: bytes, kind: int, flags: int, before: int = 0) -> bytes:
    addresses = bytes.fromhex("020000000001 020000000002 020000000003")
    return bytes([kind, flags, 0, 0]) + addresses + b"\0\0" + bytes(before) + bytes.fromhex("aaaa030000000800") + packet


LINKS = {
    239: lambda: [nflog(bytes(four(1)))],
    113: lambda: [struct.pack(">HHH8sH", 0, 1, 6, bytes(8), 0x0800) + bytes(four(2))],
    276: lambda: [struct.pack(">HHIHBB8s", 0x86DD, 0, index, 1, 0, 6, bytes(8)) + bytes(six(3)) for index in (3, 12)],
    0: lambda: [struct.pack("<I", 2) + bytes(four(4)), struct.pack("<I", 30) + bytes(six(4))],
    108: lambda: [struct.pack(">I", 2) + bytes(four(5))],
    101: lambda: [bytes(four(6)), bytes(six(6))],
    228: lambda: [bytes(four(7))],
    229: lambda: [bytes(six(8))],
    9: lambda: [b"\xff\x03\x00\x21" + bytes(four(9)), b"\x21" + bytes(four(10)), b"\x00\x57" + bytes(six(9))],
    50: lambda: [b"\xff\x03\x00\x21" + bytes(four(11))],
    105: lambda: [
        wifi(bytes(four(12)), 0x08, 1),
        wifi(bytes(four(13)), 0x88, 2, 2),
        wifi(bytes(four(14)), 0x88, 0x41, 2),
    ],
    127: lambda: [struct.pack("<BBHI", 0, 0, 8, 0) + wifi(bytes(four(15)), 0x08, 1)],
    147: lambda: [bytes(four(16))],
}


def link_types() -> bytes:
    """A pcapng with an interface of each link type; 147 is for private use; one of the frames of Wi-Fi is encrypted."""
    names = [made.interface(link, made.option(2, f"link{link}".encode())) for link in LINKS]
    blocks, when = [], made.START * made.SECOND
    for number, build in enumerate(LINKS.values()):
        for frame in build():
            blocks.append(made.enhanced(frame, when, number))
            when += 1000
    return made.section() + b"".join(names) + b"".join(blocks)


def jumbogram_and_zero_length() -> list[Timed]:
    """RFC 2675: a length of 0 and an option that says it; a length of 0 that segmentation offload leaves; no octets at all."""
    body = bytes(UDP(sport=1111, dport=2222, len=0, chksum=0)) + bytes(70_000)
    option = struct.pack(">BBBBI", 17, 0, 0xC2, 4, 8 + len(body))
    frames = [
        ether() / IPv6(src="fd00::1", dst="fd00::2", nh=0, plen=0) / (option + body),
        ether() / IPv6(src="fd00::3", dst="fd00::2", plen=0) / TCP(sport=1111, dport=2222, flags="A") / bytes(3000),
        ether() / IP(src="10.0.0.1", dst="10.0.0.2", len=0) / TCP(sport=1111, dport=2222, flags="A") / bytes(3000),
        ether() / IP(src="10.0.0.3", dst="10.0.0.2") / UDP(sport=1111, dport=2222),
        ether() / IPv6(src="fd00::4", dst="fd00::2", nh=59) / b"",
    ]
    return timed(frames)


def cut_by_snaplen() -> bytes:
    """Frames of which only 54 octets are there: every length on the wire is counted; what is cut in its headers is discarded."""
    talk = Connection(server=("10.0.0.2", 8080))
    whole = [*talk.open(), talk.send("PA", bytes(1000)), talk.back("PA", bytes(500)), *talk.close()]
    kept = [(frame, 54) for frame in whole]
    dns = bytes(ether() / IP(src="10.0.0.1", dst="10.0.0.2") / UDP(sport=40000, dport=53) / bytes(40))
    kept += [(dns, 42), (dns, 36), (dns, 30), (dns, 10)]
    data = made.pcap([])
    for place, (frame, size) in enumerate(kept):
        data += struct.pack("<IIII", made.START, place * 1000, size, len(frame)) + frame[:size]
    return data


def bad_checksums() -> list[Timed]:
    """Offload leaves them unset in a capture on the sender: they are packets like others."""
    frames = [
        ether() / IP(src="10.0.0.1", dst="10.0.0.2", chksum=0xDEAD) / UDP(sport=1111, dport=2222) / b"four",
        ether() / IP(src="10.0.0.1", dst="10.0.0.2") / UDP(sport=1111, dport=2222, chksum=0xBEEF) / b"four",
        ether() / IP(src="10.0.0.1", dst="10.0.0.2") / TCP(sport=1111, dport=2222, flags="S", chksum=1),
        ether() / IPv6(src="fd00::1", dst="fd00::2") / UDP(sport=1111, dport=2222, chksum=0) / b"six",
    ]
    return timed(frames)


CAPTURES = {
    "mpls-pppoe-qinq-pbb-macsec": tags_and_labels,
    "nflog-sll-sll2-null-raw-ppp-wifi": link_types,
    "jumbogram-and-zero-length": jumbogram_and_zero_length,
    "cut-by-snaplen": cut_by_snaplen,
    "bad-checksums": bad_checksums,
}
