"""What a flow carries, told by its packets and not by its port: QUIC, and tunnels whose inside is encrypted.

RFC 9000 §17.2 and RFC 9369 §3.2 (QUIC long headers), the WireGuard protocol's message formats, RFC 3948 §2 and RFC 7296 §3.1
(IPsec in UDP).
"""

import numpy as np

from collector.kernels.jit import inline, kernel
from collector.kernels.layout import (
    INITIAL_BYTES,
    INITIAL_DATAGRAMS,
    IPSEC,
    NO_APPLICATION,
    QUIC,
    WIREGUARD,
)
from collector.kernels.load import be32, u8
from collector.kernels.streams import is_from_opener, take_hello

QUIC_1, QUIC_2 = 1, 0x6B3343CF
SMALLEST_INITIAL = 1200  # octets of a datagram with a client's Initial packet (RFC 9000 §14.1)
MAX_CONNECTION_ID = 20
MOST_ESP_PACKETS = 1 << 24  # a sequence number beyond it is rather text than a number; IKE has its marker before
IKE_PORT, NAT_PORT, WIREGUARD_PORT, CILIUM_WIREGUARD_PORT = 500, 4500, 51820, 51871


@kernel
def recognise(data, packet):
    """The application that the first packet of a UDP flow shows."""
    at, size = packet.payload, packet.captured
    if is_initial(data, packet):
        return QUIC
    if is_wireguard(data, at, size, packet):
        return WIREGUARD
    if is_port(packet, NAT_PORT) and size >= 8 and be32(data, at + 4) < MOST_ESP_PACKETS:
        return IPSEC
    if is_port(packet, IKE_PORT) and size >= 28 and (u8(data, at + 17) == 0x20 or u8(data, at + 17) == 0x10):
        return IPSEC
    return NO_APPLICATION


@inline
def is_port(packet, port):
    return packet.src_port == port or packet.dst_port == port


@inline
def is_wireguard(data, at, size, packet):
    """A kind, three zero octets, and the one size the kind has; cookies and data are told by the port too."""
    if size < 32 or be32(data, at) & 0xFFFFFF != 0:
        return False
    kind, length = u8(data, at), packet.length
    if kind == 3 or kind == 4:
        known = is_port(packet, WIREGUARD_PORT) or is_port(packet, CILIUM_WIREGUARD_PORT)
        return known and (length == 64 if kind == 3 else length % 16 == 0)
    return (kind == 1 and length == 148) or (kind == 2 and length == 92)


@inline
def is_initial(data, packet):
    """A datagram that begins with a QUIC Initial packet."""
    at = packet.payload
    if packet.length < SMALLEST_INITIAL or packet.captured < 6:
        return False
    first, version = u8(data, at), be32(data, at + 1)
    kind = 0xC0 if version == QUIC_1 else 0xD0
    return (version == QUIC_1 or version == QUIC_2) and first & 0xF0 == kind and u8(data, at + 5) <= MAX_CONNECTION_ID


@kernel
def keep_initial(table, data, packet, flow):
    """Keep the datagram until it is decrypted, at the latest when the flow is written. One that was cut cannot be."""
    if not is_from_opener(flow, packet) or packet.captured < packet.length:
        return
    control = table.control[0]
    if flow.hello < 0:
        slot = take_hello(table, flow)
        if slot < 0:
            return
        control.free_initials -= 1
        taken = np.int64(table.free_initials[np.uint64(control.free_initials)])
        table.hellos[np.uint64(slot)].initial = taken + 1
        table.initials[np.uint64(taken)].count = 0
        table.initials[np.uint64(taken)].time = packet.time
    hello = table.hellos[np.uint64(flow.hello)]
    if hello.initial == 0:
        return
    initial = table.initials[np.uint64(hello.initial - 1)]
    count, used = np.int64(initial.count), np.int64(0)
    for number in range(count):
        used += initial.sizes[number]
    if count == INITIAL_DATAGRAMS or used + packet.captured > INITIAL_BYTES:
        return
    for step in range(packet.captured):
        initial.octets[used + step] = data[np.uint64(packet.payload + step)]
    initial.sizes[count] = packet.captured
    initial.count = count + 1
