"""The collector done the obvious way: dpkt, dicts, one packet after the other."""

import struct
from collections import defaultdict
from collections.abc import Iterable
from ipaddress import ip_address

import dpkt

Ends = tuple[str, int | None, str, int | None, int]
Counts = tuple[int, int, int, int]


def flows(frames: Iterable[bytes]) -> dict[Ends, Counts]:
    """Packets and IP bytes from either end of each 5-tuple, the ends in order."""
    counted: dict[Ends, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for frame in frames:
        packet = _ip(frame)
        ports = getattr(packet.data, "sport", None), getattr(packet.data, "dport", None)
        ends, forward = in_order(_text(packet.src), ports[0], _text(packet.dst), ports[1], packet.p)
        counts = counted[ends]
        counts[0 if forward else 2] += 1
        counts[1 if forward else 3] += _length(packet)
    return {ends: (c[0], c[1], c[2], c[3]) for ends, c in counted.items()}


def in_order(src: str, src_port: int | None, dst: str, dst_port: int | None, protocol: int) -> tuple[Ends, bool]:
    a, b = (src, src_port or 0), (dst, dst_port or 0)
    if a <= b:
        return (src, src_port, dst, dst_port, protocol), True
    return (dst, dst_port, src, src_port, protocol), False


def transactions(frames: Iterable[bytes]) -> list[tuple[object, ...]]:
    """(client, port, server, id, name, type, attempts, answers, negative TTL) of each query; the last two can be None."""
    waiting: dict[tuple[object, ...], list[object]] = {}
    done: list[list[object]] = []
    for frame in frames:
        packet = _ip(frame)
        if not isinstance(packet.data, dpkt.udp.UDP) or 53 not in (packet.data.sport, packet.data.dport):
            continue
        message = dpkt.dns.DNS(bytes(packet.data.data))
        answer = message.qr == dpkt.dns.DNS_R
        src, dst = (_text(packet.src), packet.data.sport), (_text(packet.dst), packet.data.dport)
        client, server = (dst, src) if answer else (src, dst)
        question = message.qd[0]
        key = (*client, server[0], message.id, question.name.lower(), question.type)
        if not answer:
            row = waiting.setdefault(key, [*key, 0, None, None])
            if row[6] == 0:
                done.append(row)
            row[6] = int(str(row[6])) + 1
        elif key in waiting and waiting[key][7] is None:
            waiting[key][7:] = [len(message.an), negative_ttl(message)]
    return sorted((tuple(row) for row in done), key=repr)


def negative_ttl(message: dpkt.dns.DNS) -> int | None:
    """RFC 2308 §5."""
    nothing = message.rcode == dpkt.dns.DNS_RCODE_NOERR and message.qd[0].type not in {rr.type for rr in message.an}
    if message.tc or not (nothing or message.rcode == dpkt.dns.DNS_RCODE_NXDOMAIN):
        return None
    return next((min(rr.ttl, rr.minimum) for rr in message.ns if rr.type == dpkt.dns.DNS_SOA), None)


def _ip(frame: bytes) -> dpkt.ip.IP | dpkt.ip6.IP6:
    return dpkt.ethernet.Ethernet(frame).data


def _text(address: bytes) -> str:
    return str(ip_address(address))


def _length(packet: dpkt.ip.IP | dpkt.ip6.IP6) -> int:
    if isinstance(packet, dpkt.ip6.IP6):
        return 40 + int(packet.plen)
    return int(struct.unpack(">H", bytes(packet)[2:4])[0])
