"""One frame of each kind that the capture filter tells apart, and how many octets it is to take of it."""

import struct
from typing import NamedTuple

from collector.sources.filter import SNAP, WHOLE
from tests.support.hellos import client_hello, tls_record
from tests.support.quic_samples import INITIAL_V1
from tests.support.segments import MAC, datagram, fragments, framed, ipv4, ipv6, segment, udp

LONG = b"z" * 900
HELLO = tls_record(client_hello("a.example"))
ENDS = ("10.0.0.1", 40000), ("10.0.0.2", 8080)
ENDS6 = ("fd00::1", 40000), ("fd00::2", 8080)


class Case(NamedTuple):
    frame: bytes
    taken: int


def to(port: int, six: bool = False) -> tuple[tuple[str, int], tuple[str, int]]:
    (src, dst) = ENDS6 if six else ENDS
    return src, (dst[0], port)


def tagged(frame: bytes, *tags: tuple[int, int]) -> bytes:
    return frame[:12] + b"".join(struct.pack(">HH", kind, number) for kind, number in tags) + frame[12:]


def vxlan(frame: bytes, port: int = 4789, six: bool = False) -> bytes:
    return udp(*to(port, six), b"\x08\0\0\0\0\0\x07\0" + frame)


def geneve(frame: bytes, options: bytes = b"") -> bytes:
    return udp(*to(6081), struct.pack(">BBHI", len(options) // 4, 0, 0x6558, 7 << 8) + options + frame)


def carried(frame: bytes, protocol: int) -> bytes:
    return framed(ipv4("192.0.2.1", "192.0.2.2", protocol, frame[14:]))


def with_options(frame: bytes) -> bytes:
    """An IPv4 packet whose header has four octets more."""
    length = int.from_bytes(frame[16:18], "big") + 4
    return frame[:14] + b"\x46\0" + length.to_bytes(2, "big") + frame[18:34] + b"\1\1\1\0" + frame[34:]


EXTENSION = b"\x11\0\1\4\0\0\0\0"  # of options for the destination, before UDP
DNS = udp(*to(53), LONG)
CASES = {
    "tcp": Case(segment(*ENDS, "A", 1, LONG), SNAP),
    "tcp6": Case(segment(*ENDS6, "A", 1, LONG), SNAP),
    "udp": Case(udp(*ENDS, LONG), SNAP),
    "icmp": Case(framed(ipv4("10.0.0.1", "10.0.0.2", 1, LONG)), SNAP),
    "arp": Case(MAC + b"\x08\x06" + LONG, SNAP),
    "dns query": Case(DNS, WHOLE),
    "dns response": Case(udp(*to(53)[::-1], LONG), WHOLE),
    "dns6": Case(udp(*to(53, True), LONG), WHOLE),
    "dns over tcp": Case(segment(*to(53), "A", 1, LONG), WHOLE),
    "dns response over tcp6": Case(segment(*to(53, True)[::-1], "A", 1, LONG), WHOLE),
    "dns at another port": Case(udp(*to(5353), LONG), WHOLE),
    "dns in vlan": Case(tagged(DNS, (0x8100, 5)), WHOLE),
    "dns in two vlans": Case(tagged(DNS, (0x88A8, 5), (0x8100, 6)), WHOLE),
    "udp in two vlans": Case(tagged(udp(*ENDS, LONG), (0x88A8, 5), (0x9100, 6)), SNAP),
    "dns in vxlan": Case(vxlan(DNS), WHOLE),
    "dns in vxlan of flannel": Case(vxlan(DNS, 8472), WHOLE),
    "dns6 in vxlan over ipv6 in vlan": Case(tagged(vxlan(udp(*to(53, True), LONG), six=True), (0x8100, 5)), WHOLE),
    "udp in vxlan": Case(vxlan(udp(*ENDS, LONG)), SNAP),
    "every header at its longest": Case(
        tagged(vxlan(segment(*ENDS6, "A", 1, LONG, options=bytes(40)), six=True), (0x88A8, 5), (0x8100, 6)), SNAP
    ),
    "dns in geneve": Case(geneve(DNS), WHOLE),
    "dns in geneve with options": Case(geneve(DNS, bytes(8)), WHOLE),
    "geneve that carries no ethernet": Case(udp(*to(6081), b"\0\0\x08\0" + LONG), SNAP),
    "dns in ipip": Case(carried(DNS, 4), WHOLE),
    "dns in 6in4": Case(carried(udp(*to(53, True), LONG), 41), WHOLE),
    "udp in ipip": Case(carried(udp(*ENDS, LONG), 4), SNAP),
    "fragment of udp": Case(fragments(*ENDS, LONG, 800)[0], WHOLE),
    "last fragment of udp": Case(fragments(*ENDS, LONG + LONG, 800)[-2], WHOLE),
    "fragment of udp6": Case(fragments(*ENDS6, LONG, 800)[0], WHOLE),
    "fragment of tcp": Case(framed(ipv4("10.0.0.1", "10.0.0.2", 6, LONG, more=True)), SNAP),
    "fragment of tcp6": Case(framed(ipv6("fd00::1", "fd00::2", 44, struct.pack(">BBHI", 6, 0, 1, 1) + LONG)), SNAP),
    "ipv4 with options": Case(with_options(DNS), WHOLE),
    "ipv6 with extensions": Case(framed(ipv6("fd00::1", "fd00::2", 60, EXTENSION + datagram(*to(53, True), LONG))), WHOLE),
    "hello": Case(segment(*ENDS, "PA", 1, HELLO + LONG), WHOLE),
    "hello6 with tcp options": Case(segment(*ENDS6, "PA", 1, HELLO + LONG, options=bytes(12)), WHOLE),
    "hello in vxlan": Case(vxlan(segment(*ENDS, "PA", 1, HELLO + LONG)), WHOLE),
    "hello from a server": Case(segment(*ENDS, "PA", 1, tls_record(b"\x02" + HELLO[6:]) + LONG), SNAP),
    "last of a hello": Case(segment(*to(443), "PA", 1, LONG), WHOLE),
    "full segment to port 443": Case(segment(*to(443), "PA", 1, LONG + LONG[:550]), SNAP),
    "segment to port 443 that is not pushed": Case(segment(*to(443), "A", 1, LONG), SNAP),
    "last of something to port 8080": Case(segment(*to(8080), "PA", 1, LONG), SNAP),
    "answer from port 443": Case(segment(*to(443)[::-1], "PA", 1, LONG), SNAP),
    "quic": Case(udp(*to(8443), INITIAL_V1), WHOLE),
    "quic of another version": Case(udp(*to(443), b"\xc0\0\0\0\5" + LONG), SNAP),
    "short header of quic": Case(udp(*to(443), b"\x40\0\0\0\1" + LONG), SNAP),
}  # fmt: skip
