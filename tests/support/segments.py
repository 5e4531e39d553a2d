"""Frames with every field fixed and every checksum right: TCP connections, UDP datagrams, fragments of both families."""

import ipaddress
import struct
from collections.abc import Iterable, Sequence

End = tuple[str, int]

MAC = bytes.fromhex("020000000002 020000000001")
IPV4, IPV6 = b"\x08\x00", b"\x86\xdd"
TCP, UDP, FRAGMENT = 6, 17, 44
FLAGS = {letter: 1 << place for place, letter in enumerate("FSRPAUEC")}
CLIENT, SERVER = ("10.0.0.1", 40000), ("10.0.0.2", 53)


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def pseudo_header(src: str, dst: str, protocol: int, size: int) -> bytes:
    ends = ipaddress.ip_address(src).packed + ipaddress.ip_address(dst).packed
    return ends + struct.pack(">II", size, protocol)


def ipv4(src: str, dst: str, protocol: int, body: bytes, *, number: int = 1, at: int = 0, more: bool = False) -> bytes:
    """An IPv4 packet; ``at``: octets of its datagram before a fragment."""
    field = at // 8 | (0x2000 if more else 0)
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), number, field, 64, protocol, 0)
    head += ipaddress.IPv4Address(src).packed + ipaddress.IPv4Address(dst).packed
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + body


def ipv6(src: str, dst: str, following: int, body: bytes) -> bytes:
    head = struct.pack(">IHBB", 6 << 28, len(body), following, 64)
    return head + ipaddress.IPv6Address(src).packed + ipaddress.IPv6Address(dst).packed + body


def packet(src: str, dst: str, protocol: int, body: bytes) -> bytes:
    return ipv6(src, dst, protocol, body) if ":" in src else ipv4(src, dst, protocol, body)


def framed(ip_packet: bytes) -> bytes:
    return MAC + (IPV4 if ip_packet[0] >> 4 == 4 else IPV6) + ip_packet


def datagram(src: End, dst: End, data: bytes) -> bytes:
    """A UDP header and its data."""
    size = 8 + len(data)
    whole = struct.pack(">HHHH", src[1], dst[1], size, 0) + data
    right = checksum(pseudo_header(src[0], dst[0], UDP, size) + whole) or 0xFFFF
    return whole[:6] + struct.pack(">H", right) + data


def udp(src: End, dst: End, data: bytes = b"") -> bytes:
    """A frame with a UDP datagram."""
    return framed(packet(src[0], dst[0], UDP, datagram(src, dst, data)))


def fragments(src: End, dst: End, data: bytes, size: int, number: int = 7) -> list[bytes]:
    """Frames with the fragments of a UDP datagram, ``size`` octets each: a multiple of eight."""
    whole = datagram(src, dst, data)
    starts = range(0, len(whole), size)
    return [fragment(src[0], dst[0], UDP, whole, (start, min(start + size, len(whole))), number) for start in starts]


def fragment(src: str, dst: str, protocol: int, whole: bytes, part: tuple[int, int], number: int) -> bytes:
    """A frame with the octets ``part`` of a datagram."""
    start, end = part
    more = end < len(whole)
    if ":" not in src:
        return framed(ipv4(src, dst, protocol, whole[start:end], number=number, at=start, more=more))
    head = struct.pack(">BBHI", protocol, 0, start | more, number)
    return framed(ipv6(src, dst, FRAGMENT, head + whole[start:end]))


def segment(
    src: End,
    dst: End,
    flags: str,
    seq: int,
    data: bytes = b"",
    *,
    ack: int = 0,
    window: int = 512,
    options: bytes = b"",
) -> bytes:
    """A frame with a TCP segment."""
    bits = sum(FLAGS[letter] for letter in flags)
    offset = (20 + len(options)) // 4 << 4
    head = struct.pack(">HHIIBBHHH", src[1], dst[1], seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, offset, bits, window, 0, 0)
    whole = head + options + data
    right = checksum(pseudo_header(src[0], dst[0], TCP, len(whole)) + whole)
    return framed(packet(src[0], dst[0], TCP, whole[:16] + struct.pack(">H", right) + whole[18:]))


class Connection:
    """A TCP connection, and how far each end has sent."""

    def __init__(self, client: End = CLIENT, server: End = SERVER, first: tuple[int, int] = (1_000, 5_000)) -> None:
        self.ends = client, server
        self.next = list(first)

    def send(self, flags: str = "PA", data: bytes = b"", *, window: int = 512, options: bytes = b"") -> bytes:
        return self._send(0, flags, data, window, options)

    def back(self, flags: str = "PA", data: bytes = b"", *, window: int = 512, options: bytes = b"") -> bytes:
        return self._send(1, flags, data, window, options)

    def _send(self, end: int, flags: str, data: bytes, window: int, options: bytes) -> bytes:
        seq, ack = self.next[end], self.next[1 - end] if "A" in flags else 0
        self.next[end] += len(data) + ("S" in flags) + ("F" in flags)
        src, dst = self.ends[end], self.ends[1 - end]
        return segment(src, dst, flags, seq, data, ack=ack, window=window, options=options)

    def open(self) -> list[bytes]:
        return [self.send("S"), self.back("SA"), self.send("A")]

    def close(self) -> list[bytes]:
        return [self.send("FA"), self.back("FA"), self.send("A")]

    def pieces(self, data: bytes, sizes: Iterable[int], *, back: bool = False) -> list[bytes]:
        """The data in segments of these sizes, the rest in a last one."""
        say, frames, at = self.back if back else self.send, [], 0
        for size in sizes:
            frames.append(say("PA", data[at : at + size]))
            at += size
        return [*frames, say("PA", data[at:])] if at < len(data) else frames


def permuted(frames: Sequence[bytes], order: Iterable[int]) -> list[bytes]:
    return [frames[place] for place in order]
