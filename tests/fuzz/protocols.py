"""Frames of what the collector reads above IP: DNS, TLS, QUIC, ICMP errors, fragments, connections in full."""

import random
import struct
from itertools import pairwise

from scapy.layers.dns import DNS, DNSQR, DNSRR, DNSRROPT, EDNS0TLV
from scapy.layers.inet import ICMP, IP, TCP, UDP, ICMPerror, IPerror, TCPerror, UDPerror, fragment
from scapy.layers.inet6 import (
    HBHOptUnknown,
    ICMPv6DestUnreach,
    ICMPv6PacketTooBig,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
    Jumbo,
    fragment6,
)
from scapy.packet import Packet, Raw

from tests.support.frames import ether
from tests.support.shapes import client_hello

CLIENT, SERVER = "10.1.0.7", "10.1.0.53"
CLIENT_6, SERVER_6 = "2001:db8::7", "2001:db8::53"
LONG_NAME = ".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 61]) + "."


def frames() -> list[bytes]:
    """In the order of a capture, so that taking them one after the other builds up state."""
    stories = [
        *_dns_over_udp(),
        *_dns_over_tcp(),
        *_client_hellos(),
        *_initials(),
        *_errors(),
        *_fragments(),
        *_headers(),
        *_connections(),
    ]
    return [bytes(ether() / packet) for packet in stories]


def ends(six: bool) -> tuple[Packet, Packet]:
    if six:
        return IPv6(src=CLIENT_6, dst=SERVER_6), IPv6(src=SERVER_6, dst=CLIENT_6)
    return IP(src=CLIENT, dst=SERVER), IP(src=SERVER, dst=CLIENT)


def _messages() -> list[bytes]:
    """Queries and responses by turns."""
    edns = DNSRROPT(z=0x8000, rdata=[EDNS0TLV(optcode=8, optdata=b"\0\1\x18\0\xc0\0\2"), EDNS0TLV(optcode=15)])
    many = [DNSRR(rrname="x.example", rdata=f"192.0.2.{number}") for number in range(60)]
    https = struct.pack("!H", 1) + b"\0" + struct.pack("!HH", 1, 3) + b"\2h2" + struct.pack("!HH", 4, 4) + b"\xc0\0\2\1"
    records = [
        DNSRR(rrname="x.example", type=kind, rdata=rdata) for kind, rdata in ((65, https), (257, b"\0\5issueca"))
    ]
    return [
        bytes(message)
        for number, name in enumerate(("x.example", LONG_NAME, ".", 'sp ace."quote".example'))
        for message in (
            DNS(id=number, rd=1, qd=DNSQR(qname=name), ar=edns),
            DNS(id=number, qr=1, rcode=number, qd=DNSQR(qname=name), an=many if number == 0 else records, ar=edns),
        )
    ] + [
        bytes.fromhex("0009818000010001000000000161076578616d706c650000010001c00c00050001000000050004c02ac02a"),
        bytes.fromhex("000a818000010001000000000161076578616d706c650000010001c02a00050001000000050002c02a"),
    ]


def _dns_over_udp() -> list[Packet]:
    told = []
    for six in (False, True):
        there, back = ends(six)
        for message in _messages():
            answer = message[2] & 0x80
            told.append(
                (back if answer else there) / _datagram(53 if answer else 5300, 5300 if answer else 53, message)
            )
    return told


def _datagram(src: int, dst: int, body: bytes) -> Packet:
    return UDP(sport=src, dport=dst) / Raw(body)


def _dns_over_tcp() -> list[Packet]:
    """One message a segment, all in one, split anywhere, in the wrong order, and twice."""
    told = []
    for port, way in enumerate((_whole, _joined, _split, _swapped, _repeated)):
        sent = [struct.pack("!H", len(message)) + message for message in _messages()]
        told += conversation(port % 2 == 1, 6000 + port, 53, way(sent[0::2]), way(sent[1::2]))
    return told


def _whole(parts: list[bytes]) -> list[tuple[int, bytes]]:
    lengths = [0]
    for part in parts:
        lengths.append(lengths[-1] + len(part))
    return list(zip(lengths, parts, strict=False))


def _joined(parts: list[bytes]) -> list[tuple[int, bytes]]:
    return [(0, b"".join(parts)[:1400])]


def _split(parts: list[bytes]) -> list[tuple[int, bytes]]:
    whole = b"".join(parts)
    cuts = [0, 1, 2, 3, 14, 40, *range(90, len(whole), 536), len(whole)]
    return [(start, whole[start:end]) for start, end in pairwise(sorted({min(cut, len(whole)) for cut in cuts}))]


def _swapped(parts: list[bytes]) -> list[tuple[int, bytes]]:
    return _split(parts)[::-1]


def _repeated(parts: list[bytes]) -> list[tuple[int, bytes]]:
    return [segment for segment in _split(parts) for _ in range(2)]


def conversation(
    six: bool, port: int, service: int, asked: list[tuple[int, bytes]], told: list[tuple[int, bytes]]
) -> list[Packet]:
    """A connection from SYN to FIN; ``asked`` and ``told`` are (place in the stream, octets)."""
    there, back = ends(six)

    def client(flags: str, seq: int, body: bytes = b"") -> Packet:
        return there / TCP(sport=port, dport=service, flags=flags, seq=0xFFFFFF00 + seq & 0xFFFFFFFF, ack=1) / Raw(body)

    def server(flags: str, seq: int, body: bytes = b"") -> Packet:
        return back / TCP(sport=service, dport=port, flags=flags, seq=seq, ack=0xFFFFFF01) / Raw(body)

    return [
        client("S", 0),
        server("SA", 0),
        *(client("PA", 1 + place, body) for place, body in asked),
        *(server("PA", 1 + place, body) for place, body in told),
        client("FA", 1 + max((place + len(body) for place, body in asked), default=0)),
        server("FA", 1 + max((place + len(body) for place, body in told), default=0)),
        server("R", 9),
    ]


def _client_hellos() -> list[Packet]:
    hello = client_hello("shop.example")
    name = client_hello("n" * 60 + ".example" * 20)
    told = conversation(False, 7000, 443, _whole([hello]), [])
    told += conversation(True, 7001, 8443, _split([name]), _whole([b"\x16\x03\x03\0\x04\x02\0\0\0"]))
    in_records = b"".join(b"\x16\x03\x01" + struct.pack("!H", len(part)) + part for part in (hello[5:90], hello[90:]))
    return told + conversation(False, 7002, 443, _split([in_records]), [])


def _initials() -> list[Packet]:
    """QUIC long headers (RFC 9000 §17.2) with octets that no key opens, both versions, several packets a datagram."""
    octets = random.Random(9)
    there, back = ends(False)
    told = []
    for version, first in ((1, 0xC3), (0x6B3343CF, 0xD3), (0, 0xC0), (0xFF00001D, 0xC0), (1, 0xE0)):
        for token in (0, 40):
            connection = octets.randbytes(8)
            head = bytes([first]) + struct.pack("!I", version) + b"\x08" + connection + b"\x04" + connection[:4]
            body = octets.randbytes(300)
            packet = head + bytes([token]) + octets.randbytes(token) + struct.pack("!H", 0x4000 | len(body)) + body
            told.append(there / _datagram(9443, 443, (packet * 4)[:1200]))
            told.append(back / _datagram(443, 9443, packet))
    return told


def _errors() -> list[Packet]:
    """ICMP errors quote the packet they answer, in full or cut."""
    asked = UDPerror(sport=5300, dport=53) / Raw(_messages()[0])
    quoted = IPerror(src=CLIENT, dst=SERVER)
    four = IP(src=SERVER, dst=CLIENT)
    six = IPv6(src=SERVER_6, dst=CLIENT_6)
    inner = bytes(IPv6(src=CLIENT_6, dst=SERVER_6) / UDP(sport=5300, dport=53) / Raw(_messages()[0]))
    return [
        four / ICMP(type=3, code=3) / quoted / asked,
        four / ICMP(type=3, code=4, nexthopmtu=1400) / quoted / TCPerror(sport=6000, dport=53),
        four / ICMP(type=11) / Raw(bytes(IP(src=CLIENT, dst=SERVER) / UDP(sport=1, dport=2))[:20]),
        four / ICMP(type=5, gw="10.1.0.1") / ICMPerror(),
        six / ICMPv6DestUnreach(code=4) / Raw(inner),
        six / ICMPv6PacketTooBig(mtu=1280) / Raw(inner[:48]),
    ]


def _fragments() -> list[Packet]:
    """A DNS response in pieces: in order, the last first, overlapping, the first missing."""
    there, back = ends(False)
    big = Raw(_messages()[1] + bytes(1200))
    pieces = fragment(IP(src=SERVER, dst=CLIENT, id=77) / UDP(sport=53, dport=5300) / big, fragsize=600)
    reverse = fragment(IP(src=SERVER, dst=CLIENT, id=78) / UDP(sport=53, dport=5300) / big, fragsize=600)[::-1]
    six = fragment6(
        IPv6(src=SERVER_6, dst=CLIENT_6) / IPv6ExtHdrFragment(id=79) / UDP(sport=53, dport=5300) / big, 1280
    )
    overlap = [piece.copy() for piece in pieces]
    for piece in overlap:
        piece.id, piece.frag = 80, max(piece.frag - 4, 0)
    tcp = fragment(IP(src=CLIENT, dst=SERVER, id=81) / TCP(sport=6000, dport=53) / big, fragsize=16)
    hole = [there / ICMP(type=8) / big, *pieces[1:], back / ICMP(type=0) / big]
    return [*pieces, *reverse, *six, *overlap, *tcp[:6], *hole]


def _headers() -> list[Packet]:
    """Extension headers, options, and lengths that are zero because the packet is larger than they can say."""
    udp = UDP(sport=5300, dport=53) / Raw(_messages()[0])
    six = IPv6(src=CLIENT_6, dst=SERVER_6)
    chain = IPv6ExtHdrHopByHop(options=[HBHOptUnknown(otype=5, optdata=b"ab")])
    return [
        six / chain / IPv6ExtHdrRouting(addresses=["2001:db8::9"]) / IPv6ExtHdrDestOpt() / udp,
        six / IPv6ExtHdrDestOpt() / IPv6ExtHdrFragment(m=1, id=5) / IPv6ExtHdrDestOpt() / udp,
        IPv6(src=CLIENT_6, dst=SERVER_6, nh=51) / Raw(b"\x11\x04" + bytes(22) + bytes(udp)),
        IPv6(src=CLIENT_6, dst=SERVER_6, plen=0)
        / IPv6ExtHdrHopByHop(options=[Jumbo(jumboplen=70000)])
        / UDP(sport=1, dport=2, len=0)
        / bytes(3000),
        IP(src=CLIENT, dst=SERVER, options=b"\x07\x07\x04" + bytes(4) + b"\x01") / udp,
        IP(src=CLIENT, dst=SERVER, len=0) / TCP(sport=6000, dport=80) / bytes(4000),
        IP(src=CLIENT, dst=SERVER) / UDP(sport=5, dport=6) / bytes(8900),
        IP(src=CLIENT, dst=SERVER, proto=51) / Raw(b"\x11\x04" + bytes(22) + bytes(udp)),
    ]


def _connections() -> list[Packet]:
    octets = [(place, bytes([place & 255]) * 100) for place in range(0, 1000, 100)]
    told = []
    for port, service in enumerate((80, 443, 22, 3306, 40000)):
        told += conversation(port % 2 == 0, 8000 + port, service, octets, octets[::-1] + octets[:3])
    return told
