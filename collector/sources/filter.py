"""How much of a packet the kernel is to copy: whole where its payload is read, else its headers, nothing of what is not wanted.

A filter sees one packet at a time: of DNS and ClientHellos that lie in several, those that look like parts of one are taken whole.
It reads through VLAN tags, VXLAN, Geneve and IP in IP; what is in anything else is cut as any other payload.
"""

import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NamedTuple

from collector.kernels.layout import TCP, UDP
from collector.kernels.recognise import QUIC_1, QUIC_2
from collector.kernels.ring import ARPHRD_ETHER, ARPHRD_LOOPBACK
from collector.sources.bpf import (
    ABS,
    ADD,
    ALU,
    AND,
    ANY_BIT,
    AT_LEAST,
    BYTE,
    EQUAL,
    GREATER,
    HALF,
    HARDWARE,
    IMM,
    IND,
    INTERFACE,
    LD,
    LDX,
    LEN,
    LSH,
    MEM,
    OF_X,
    PACKET_TYPE,
    PROTOCOL,
    RET,
    RSH,
    ST,
    SUB,
    TAX,
    TXA,
    WORD,
    Program,
)

WHOLE = 1 << 18  # octets: more than any packet
SNAP = 192  # VLAN twice, IPv6, VXLAN, Ethernet, IPv6 and TCP's longest header are 192
LEAST_SNAP = 96
MAX_LEFT_OUT = (
    256  # interfaces that the filter knows not to be wanted; packets of others are passed over after they were copied
)
MAX_OWN = 16  # connections of our own; the others are captured as any
TLS_PORTS = (443, 853, 6443, 8443)  # where the last segment of a ClientHello may go
MOST_OF_HELLO = 1400  # octets of that segment: a full one belongs to something longer
VXLAN_PORTS, GENEVE_PORT = (4789, 8472), 6081
PACKET_OUTGOING = 4
# Devices whose packets begin with an IP header: PPP, raw IP, tunnels of IP in IP, WireGuard and tun.
BARE = (512, 519, 768, 769, 776, 778, 823, 0xFFFE)
IPV4_TYPE, IPV6_TYPE, VLAN_TYPES = 0x0800, 0x86DD, (0x8100, 0x88A8, 0x9100)
IN_IPV4, IN_IPV6, FRAGMENT, EXTENSIONS = 4, 41, 44, (0, 43, 60)
ETHERNET_INSIDE = 0x6558  # of Geneve
HANDSHAKE, CLIENT_HELLO, PSH = 0x1603, 1, 0x08
HALF_OF_ALL = 1 << 31  # a difference from here on is below zero
TCP_IN_PLAIN = 34  # behind Ethernet, and IPv4 without options
PROTOCOL_CELL, PUSHED_TO, PAYLOAD = range(3)  # of the filter's memory


class Connection(NamedTuple):
    """Both ends of a TCP connection, as addresses and ports."""

    address: str
    port: int
    peer: str
    peer_port: int

    @classmethod
    def of(cls, connected: socket.socket) -> "Connection":
        return cls(*connected.getsockname()[:2], *connected.getpeername()[:2])

    def ways(self, version: int) -> list[bytes]:
        """Addresses and ports as they stand in packets of that version of IP, either way."""
        ends = [(plain_address(self.address), self.port), (plain_address(self.peer), self.peer_port)]
        if any(address.version != version for address, _ in ends):
            return []
        ways = (ends, ends[::-1])
        return [b"".join([a.packed, b.packed, p.to_bytes(2), q.to_bytes(2)]) for (a, p), (b, q) in ways]


class At(NamedTuple):
    """Where an IP header has addresses, and, without options, its packet the ports: from X on, or (``ABS``) in the frame."""

    name: str
    version: int
    addresses: int
    ports: int
    mode: int = IND


def plain_address(text: str) -> IPv4Address | IPv6Address:
    """Without a zone; IPv4 in IPv6 is what is on the wire."""
    address = ip_address(text.partition("%")[0])
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


class Lengths(NamedTuple):
    """Of what is not read, ``snap`` octets are copied; what comes from or goes to ``dns_ports`` is read."""

    dns_ports: tuple[int, ...]
    snap: int = SNAP


def capture_filter(lengths: Lengths, unwanted: Sequence[int], own: Sequence[Connection]) -> bytes:
    """The program for SO_ATTACH_FILTER; ``unwanted`` are indexes of interfaces."""
    program, own = Program(), own[:MAX_OWN]
    _choose_interface(program, sorted(unwanted)[:MAX_LEFT_OUT])
    _open_device(program)
    _read_plain(program, lengths.dns_ports, own)
    for level in ("outer", "inner"):
        _find_ip(program, level)
        _read_ip(program, level, own)
        _read_transport(program, level, lengths.dns_ports)
    for name, length in (("drop", 0), ("short", max(lengths.snap, LEAST_SNAP)), ("whole", WHOLE)):
        program.label(name)
        program.add(RET, length)
    return program.assembled()


def headers_of_all(lengths: Lengths) -> bytes:
    """The program that asks nothing."""
    program = Program()
    program.add(RET, max(lengths.snap, LEAST_SNAP))
    return program.assembled()


def _choose_interface(program: Program, unwanted: list[int]) -> None:
    program.add(LD | WORD | ABS, INTERFACE)
    _search(program, unwanted, "wanted")
    program.label("wanted")


def _search(program: Program, sorted_numbers: list[int], absent: str) -> None:
    """Drop where the number at hand is one of these: by halves, so that many of them cost little."""
    if len(sorted_numbers) <= 4:
        for number in sorted_numbers:
            program.jump(EQUAL, number, "drop")
        program.go(absent)
        return
    middle = len(sorted_numbers) // 2
    upper = f"from {sorted_numbers[middle]}"
    program.jump(AT_LEAST, sorted_numbers[middle], upper)
    _search(program, sorted_numbers[:middle], absent)
    program.label(upper)
    _search(program, sorted_numbers[middle:], absent)


def _open_device(program: Program) -> None:
    """X becomes the place of the first header. What leaves by loopback comes in there as well, and counts then."""
    program.add(LDX | IMM, 0)
    program.add(LD | WORD | ABS, HARDWARE)
    program.jump(EQUAL, ARPHRD_ETHER, "plain")
    for kind in BARE:
        program.jump(EQUAL, kind, "bare")
    program.jump(EQUAL, ARPHRD_LOOPBACK, "", "short")
    program.add(LD | WORD | ABS, PACKET_TYPE)
    program.jump(EQUAL, PACKET_OUTGOING, "drop", "plain")
    program.label("bare")
    program.add(LD | WORD | ABS, PROTOCOL)
    program.jump(EQUAL, IPV4_TYPE, "ip outer")
    program.jump(EQUAL, IPV6_TYPE, "ip outer", "short")


def _read_plain(program: Program, dns_ports: Sequence[int], own: Sequence[Connection]) -> None:
    """What most packets are, Ethernet, IPv4 without options and TCP: where a place is a constant, the kernel calls no function."""
    program.label("plain")
    program.add(LD | WORD | LEN)
    program.jump(AT_LEAST, TCP_IN_PLAIN + 20, "", "ethernet outer")
    program.add(LD | HALF | ABS, 12)
    program.jump(EQUAL, IPV4_TYPE, "", "ethernet outer")
    program.add(LD | BYTE | ABS, 14)
    program.jump(EQUAL, 0x45, "", "ethernet outer")
    program.add(LD | HALF | ABS, 20)
    program.jump(ANY_BIT, 0x3FFF, "ethernet outer")
    program.add(LD | BYTE | ABS, 23)
    program.jump(EQUAL, TCP, "", "ethernet outer")
    _leave_out(program, At("plain", 4, 26, TCP_IN_PLAIN, ABS), own)
    _find_dns(program, dns_ports, ABS, TCP_IN_PLAIN)
    _find_payload(program, "plain", ABS, TCP_IN_PLAIN)
    program.add(ALU | ADD, TCP_IN_PLAIN)
    program.add(TAX)
    program.go("payload outer")


def _need(program: Program, octets: int) -> None:
    """A load beyond the end would drop the packet: with fewer octets from X on it is short."""
    program.add(LD | WORD | LEN)
    program.add(ALU | SUB | OF_X)
    program.jump(AT_LEAST, HALF_OF_ALL, "short")
    program.jump(AT_LEAST, octets, "", "short")


def _go_on(program: Program, octets: int) -> None:
    program.add(TXA)
    program.add(ALU | ADD, octets)
    program.add(TAX)


def _one_of(program: Program, values: Sequence[int], label: str) -> None:
    for value in values:
        program.jump(EQUAL, value, label)


def _find_ip(program: Program, level: str) -> None:
    """Behind an Ethernet header with up to two VLAN tags in it."""
    program.label(f"ethernet {level}")
    for tags in range(3):
        _need(program, 14)
        program.add(LD | HALF | IND, 12)
        _one_of(program, (IPV4_TYPE, IPV6_TYPE), f"type {level}")
        if tags < 2:
            _one_of(program, VLAN_TYPES[:-1], f"tag {level} {tags}")
            program.jump(EQUAL, VLAN_TYPES[-1], "", "short")
            program.label(f"tag {level} {tags}")
            _go_on(program, 4)
    program.go("short")
    program.label(f"type {level}")
    _go_on(program, 14)


def _read_ip(program: Program, level: str, own: Sequence[Connection]) -> None:
    program.label(f"ip {level}")
    _need(program, 20)
    program.add(LD | BYTE | IND, 0)
    program.add(ALU | RSH, 4)
    program.jump(EQUAL, 6, f"ipv6 {level}")
    program.jump(EQUAL, 4, "", "short")
    _read_ipv4(program, level, own)
    _read_ipv6(program, level, own)


def _read_ipv4(program: Program, level: str, own: Sequence[Connection]) -> None:
    program.add(LD | HALF | IND, 6)
    program.jump(ANY_BIT, 0x3FFF, f"fragment {level}")
    program.add(LD | BYTE | IND, 9)
    program.add(ST, PROTOCOL_CELL)
    program.jump(EQUAL, TCP, "", f"not own {level}")
    _leave_out(program, At(f"ipv4 {level}", 4, 12, 20), own)
    program.label(f"not own {level}")
    program.add(LD | BYTE | IND, 0)
    program.add(ALU | AND, 0xF)
    program.add(ALU | LSH, 2)
    program.add(ALU | ADD | OF_X)
    program.add(TAX)
    program.go(f"transport {level}")
    program.label(f"fragment {level}")
    program.add(LD | BYTE | IND, 9)
    program.jump(EQUAL, UDP, "whole", "short")


def _read_ipv6(program: Program, level: str, own: Sequence[Connection]) -> None:
    """What has extension headers is rare, and taken whole."""
    program.label(f"ipv6 {level}")
    _need(program, 40)
    program.add(LD | BYTE | IND, 6)
    program.add(ST, PROTOCOL_CELL)
    program.jump(EQUAL, FRAGMENT, f"fragment6 {level}")
    _one_of(program, EXTENSIONS, "whole")
    program.jump(EQUAL, TCP, "", f"not own6 {level}")
    _leave_out(program, At(f"ipv6 {level}", 6, 8, 40), own)
    program.label(f"not own6 {level}")
    _go_on(program, 40)
    program.go(f"transport {level}")
    program.label(f"fragment6 {level}")
    _need(program, 41)
    program.add(LD | BYTE | IND, 40)
    program.jump(EQUAL, UDP, "whole", "short")


def _leave_out(program: Program, at: At, own: Sequence[Connection]) -> None:
    """Drop the packets of our own connections, either way."""
    ways = [octets for one in own for octets in one.ways(at.version)]
    if ways and at.mode == IND:
        _need(program, at.ports + 4)
    for number, octets in enumerate(ways):
        other = f"other {at.name} {number}"
        for place in range(0, len(octets), 4):
            start = at.ports if place == len(octets) - 4 else at.addresses + place
            program.add(LD | WORD | at.mode, start)
            program.jump(EQUAL, int.from_bytes(octets[place : place + 4]), "", other)
        program.go("drop")
        program.label(other)


def _read_transport(program: Program, level: str, dns_ports: Sequence[int]) -> None:
    program.label(f"transport {level}")
    _need(program, 8)
    program.add(LD | WORD | MEM, PROTOCOL_CELL)
    program.jump(EQUAL, TCP, f"tcp {level}")
    program.jump(EQUAL, UDP, f"udp {level}")
    if level == "outer":
        _one_of(program, (IN_IPV4, IN_IPV6), "ip inner")
    program.go("short")
    for name in ("tcp", "udp"):
        program.label(f"{name} {level}")
        _find_dns(program, dns_ports)
        if name == "tcp":
            _find_hello(program, level)
        else:
            _read_udp(program, level)


def _find_dns(program: Program, dns_ports: Sequence[int], mode: int = IND, start: int = 0) -> None:
    for port in (0, 2):
        program.add(LD | HALF | mode, start + port)
        _one_of(program, dns_ports, "whole")


def _find_payload(program: Program, name: str, mode: int = IND, start: int = 0) -> None:
    """How long the header of TCP is; where it was pushed to, if it was, is kept."""
    program.add(LD | BYTE | mode, start + 13)
    program.add(ALU | AND, PSH)
    program.jump(EQUAL, 0, f"not pushed {name}")
    program.add(LD | HALF | mode, start + 2)
    program.label(f"not pushed {name}")
    program.add(ST, PUSHED_TO)
    program.add(LD | BYTE | mode, start + 12)
    program.add(ALU | AND, 0xF0)
    program.add(ALU | RSH, 2)


def _find_hello(program: Program, level: str) -> None:
    """A ClientHello, or what may be the last segment of one."""
    _need(program, 20)
    _find_payload(program, level)
    program.add(ALU | ADD | OF_X)
    program.add(TAX)
    program.label(f"payload {level}")
    _need(program, 6)
    program.add(ST, PAYLOAD)
    program.add(LD | HALF | IND, 0)
    program.jump(EQUAL, HANDSHAKE, "", f"later {level}")
    program.add(LD | BYTE | IND, 5)
    program.jump(EQUAL, CLIENT_HELLO, "whole")
    program.label(f"later {level}")
    program.add(LD | WORD | MEM, PUSHED_TO)
    _one_of(program, TLS_PORTS, f"last {level}")
    program.go("short")
    program.label(f"last {level}")
    program.add(LD | WORD | MEM, PAYLOAD)
    program.jump(GREATER, MOST_OF_HELLO, "short", "whole")


def _read_udp(program: Program, level: str) -> None:
    """A QUIC Initial packet, or a tunnel."""
    if level == "outer":
        _one_of(program, VXLAN_PORTS, "vxlan")
        program.jump(EQUAL, GENEVE_PORT, "geneve")
    _need(program, 14)
    program.add(LD | BYTE | IND, 8)
    program.add(ALU | AND, 0xC0)
    program.jump(EQUAL, 0xC0, "", "short")
    program.add(LD | WORD | IND, 9)
    _one_of(program, (QUIC_1, QUIC_2), "whole")
    program.go("short")
    if level == "outer":
        _open_tunnel(program)


def _open_tunnel(program: Program) -> None:
    program.label("geneve")
    _need(program, 16)
    program.add(LD | HALF | IND, 10)
    program.jump(EQUAL, ETHERNET_INSIDE, "", "short")
    program.add(LD | BYTE | IND, 8)
    program.add(ALU | AND, 0x3F)
    program.add(ALU | LSH, 2)
    program.add(ALU | ADD | OF_X)
    program.add(TAX)
    program.label("vxlan")
    _go_on(program, 16)
    program.go("ethernet inner")
