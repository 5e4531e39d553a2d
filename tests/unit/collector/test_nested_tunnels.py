"""Tunnels in tunnels, and headers that only look like one."""

import struct
from itertools import product

import pytest
from scapy.contrib.geneve import GENEVE
from scapy.layers.inet import GRE, IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.vxlan import VXLAN
from scapy.packet import Packet

from tests.support.frames import Collected, ether, of, packets
from tests.support.messages import query

INNER = IP(src="10.0.0.1", dst="10.0.0.2") / UDP(sport=1111, dport=2222) / b"inner"
OUTER = IP(src="192.0.2.1", dst="192.0.2.2")
OUTER_6 = IPv6(src="2001:db8::1", dst="2001:db8::2")
TUNNEL = ("tunnel", "tunnel_id", "tunnel_src_ip", "tunnel_dst_ip")

WRAPS = {
    "vxlan": lambda inside: OUTER / UDP(sport=50000, dport=4789, chksum=0) / VXLAN(vni=5, flags=8) / ether() / inside,
    "geneve": lambda inside: (
        OUTER_6 / UDP(sport=50000, dport=6081) / GENEVE(vni=6, proto=0x0800) / inside
        if inside.version == 4
        else OUTER_6 / UDP(sport=50000, dport=6081) / GENEVE(vni=6, proto=0x86DD) / inside
    ),
    "gre": lambda inside: OUTER / GRE(key_present=1, key=7) / inside,
    "ipip": lambda inside: (OUTER if inside.version == 4 else OUTER_6) / inside,
}
IDS = {"vxlan": 5, "geneve": 6, "gre": 7, "ipip": None}


def row_of(seen: Collected) -> dict[str, object]:
    assert seen.flows.num_rows == 1, seen.flows.to_pylist()
    row: dict[str, object] = seen.flows.to_pylist()[0]
    return row


@pytest.mark.parametrize(("inner", "outer"), [*product(WRAPS, WRAPS)])
def test_two_tunnels_tell_the_inner_kind_and_no_addresses(inner: str, outer: str) -> None:
    """What the outer tunnel carries is whatever its sender wrote: no evidence of nodes."""
    row = row_of(of([ether() / WRAPS[outer](WRAPS[inner](INNER))]))
    assert (row["src_ip"], row["dst_port"]) == ("10.0.0.1", 2222)
    assert tuple(row[name] for name in TUNNEL) == (inner, IDS[inner], None, None)


@pytest.mark.parametrize("kind", WRAPS)
def test_one_tunnel_tells_its_addresses(kind: str) -> None:
    frame = WRAPS[kind](INNER)
    row = row_of(of([ether() / frame]))
    assert tuple(row[name] for name in TUNNEL) == (kind, IDS[kind], frame.src, frame.dst)


@pytest.mark.parametrize("depth", range(1, 9))
def test_five_tunnels_are_entered_and_no_more(depth: int) -> None:
    packet: Packet = INNER
    for level in range(depth):
        packet = IP(src=f"192.0.2.{level}", dst="192.0.2.99") / packet
    seen = of([ether() / packet])
    row = row_of(seen)
    assert row["src_ip"] == ("10.0.0.1" if depth <= 5 else f"192.0.2.{depth - 6}")
    assert row["protocol"] == (17 if depth <= 5 else 4)
    assert row["tunnel_src_ip"] == ("192.0.2.0" if depth == 1 else None)
    assert packets(seen) == (1, 1)


@pytest.mark.parametrize("kind", WRAPS)
def test_dns_in_a_tunnel_in_a_tunnel(kind: str) -> None:
    asked = IP(src="10.0.0.1", dst="10.0.0.53") / UDP(sport=4000, dport=53) / query(1)
    seen = of([ether() / WRAPS["vxlan"](WRAPS[kind](asked))])
    assert seen.dns["client_ip"].to_pylist() == ["10.0.0.1"]


def test_a_nested_tunnel_and_the_same_alone_are_records_that_agree_in_their_key() -> None:
    """The key of a flow has the innermost tunnel: who was first seen alone keeps the addresses that it came with."""
    alone, nested = ether() / WRAPS["gre"](INNER), ether() / WRAPS["vxlan"](WRAPS["gre"](INNER))
    for frames, told in (([alone, nested], "192.0.2.1"), ([nested, alone], None)):
        row = row_of(of(frames))
        assert (row["tunnel_src_ip"], row["src_packets"]) == (told, 2)


NO_TUNNEL = {
    "VXLAN without its flag": OUTER / UDP(sport=50000, dport=4789, chksum=0) / (bytes(8) + bytes(ether() / INNER)),
    "Geneve of version 1": OUTER / UDP(sport=50000, dport=6081) / (b"\x40\0\x08\0" + bytes(4) + bytes(INNER)),
    "Geneve with options beyond its end": OUTER
    / UDP(sport=50000, dport=6081)
    / (b"\x3f\0\x08\0" + bytes(4) + bytes(INNER)),
    "Geneve with no IP": OUTER / UDP(sport=50000, dport=6081) / (b"\0\0\x12\x34" + bytes(4) + bytes(INNER)),
    "to an ephemeral port": OUTER / UDP(sport=4789, dport=50000, chksum=0) / VXLAN(flags=8) / ether() / INNER,
    "GRE of version 2": IP(src="192.0.2.1", dst="192.0.2.2", proto=47) / (b"\0\2\x08\0" + bytes(INNER)),
    "GRE of version 1 without PPP": IP(src="192.0.2.1", dst="192.0.2.2", proto=47) / (b"\0\1\x08\0" + bytes(INNER)),
    "GRE with routing": IP(src="192.0.2.1", dst="192.0.2.2", proto=47) / (b"\x40\0\x08\0" + bytes(4) + bytes(INNER)),
    "GRE with a key beyond its end": IP(src="192.0.2.1", dst="192.0.2.2", proto=47) / b"\x20\0\x08\0",
    "IPIP with IPv6 in it": IP(src="192.0.2.1", dst="192.0.2.2", proto=4) / (b"\x60" + bytes(60)),
    "IPIP cut": IP(src="192.0.2.1", dst="192.0.2.2", proto=4) / b"\x45\0\0",
    "ERSPAN cut": IP(src="192.0.2.1", dst="192.0.2.2", proto=47) / (b"\x10\0\x88\xbe" + bytes(4) + bytes(6)),
}


@pytest.mark.parametrize("name", NO_TUNNEL)
def test_what_only_looks_like_a_tunnel_is_the_flow_itself(name: str) -> None:
    frame = NO_TUNNEL[name]
    row = row_of(of([ether() / frame]))
    assert (row["src_ip"], row["src_bytes"]) == ("192.0.2.1", len(frame))
    assert tuple(row[column] for column in TUNNEL) == (None, None, None, None)


def test_a_fragmented_tunnel_begins_in_the_flow_inside_and_goes_on_in_its_own() -> None:
    """The first fragment has the inner headers, with the whole length; later ones hold anything."""
    inner = IP(src="10.0.0.1", dst="10.0.0.2") / UDP(sport=1111, dport=2222) / bytes(600)
    whole = bytes(UDP(sport=50000, dport=4789, chksum=0) / VXLAN(vni=5, flags=8) / ether() / inner)
    head = {"src": "192.0.2.1", "dst": "192.0.2.2", "id": 9, "proto": 17}
    frames = [ether() / IP(**head, flags=1) / whole[:480], ether() / IP(**head, frag=60) / whole[480:]]
    seen = of(frames)
    told = {row["src_ip"]: (row["tunnel_id"], row["src_packets"], row["src_bytes"]) for row in seen.flows.to_pylist()}
    assert told == {"10.0.0.1": (5, 1, 628), "192.0.2.1": (None, 1, len(whole) - 480 + 20)}
    assert packets(seen) == (2, 2)
    assert packets(of(frames[::-1])) == (2, 2)


@pytest.mark.parametrize(("flags", "octets"), [(0x3001, 4), (0x3081, 8), (0x2081, 4)])
def test_pptp_with_and_without_sequence_and_acknowledgement(flags: int, octets: int) -> None:
    payload = b"\xff\x03\x00\x21" + bytes(INNER)
    wire = struct.pack(">HHHH", flags, 0x880B, len(payload), 77) + bytes(octets) + payload
    row = row_of(of([ether() / IP(src="192.0.2.1", dst="192.0.2.2", proto=47) / wire]))
    assert (row["src_ip"], row["tunnel"], row["tunnel_id"]) == ("10.0.0.1", "gre", None)


def test_both_sessions_of_an_erspan_mirror_are_one_connection() -> None:
    def mirrored(session: int, packet: Packet) -> Packet:
        second = struct.pack(">HHI", 0x1000, session | 0xFC00, 0)
        wire = struct.pack(">HHI", 0x1000, 0x88BE, 1) + second + bytes(ether() / packet)
        return ether() / IP(src="192.0.2.1", dst="192.0.2.2", proto=47) / wire

    back = IP(src="10.0.0.2", dst="10.0.0.1") / UDP(sport=2222, dport=1111)
    there = IP(src="10.0.0.1", dst="10.0.0.2") / UDP(sport=1111, dport=2222)
    row = row_of(of([mirrored(1, there), mirrored(2, back)]))
    assert (row["tunnel"], row["tunnel_id"], row["src_packets"], row["dst_packets"]) == ("erspan", None, 1, 1)
