"""Every way down to the IP packet: link types, tags, labels, tunnels; and what is none, by reason."""

import struct

import pytest
from scapy.contrib.geneve import GENEVE
from scapy.contrib.mpls import MPLS
from scapy.layers.inet import GRE, ICMP, IP, TCP, UDP
from scapy.layers.inet6 import (
    ICMPv6EchoReply,
    ICMPv6EchoRequest,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
)
from scapy.layers.l2 import ARP, LLC, Dot1AD, Dot1Q
from scapy.layers.ppp import PPP, PPPoE
from scapy.layers.sctp import SCTP
from scapy.layers.vxlan import VXLAN
from scapy.packet import Packet, Raw

from tests.support.frames import Collected, discarded, ether, of, packets, pcap, timed

FOUR = IP(src="10.0.0.1", dst="10.0.0.2") / UDP(sport=1111, dport=2222) / b"four"
SIX = IPv6(src="fd00::1", dst="fd00::2") / UDP(sport=1111, dport=2222) / b"six"
ENDS = {4: ("10.0.0.1", "10.0.0.2", 1111, 2222, 32), 6: ("fd00::1", "fd00::2", 1111, 2222, 51)}


def ends(seen: Collected) -> tuple[object, ...]:
    assert seen.flows.num_rows == 1, (seen.flows.to_pylist(), discarded(seen))
    row = seen.flows.to_pylist()[0]
    return tuple(row[name] for name in ("src_ip", "dst_ip", "src_port", "dst_port", "src_bytes"))


@pytest.mark.parametrize("inner", [FOUR, SIX], ids=["IPv4", "IPv6"])
@pytest.mark.parametrize(
    ("link", "before"),
    [
        (1, bytes(12) + b"type"),
        (101, b""),
        (12, b""),
        (14, b""),
        (0, struct.pack("<I", 2)),
        (108, struct.pack(">I", 2)),
        (113, bytes(14) + b"type"),
        (276, b"type" + bytes(18)),
    ],
    ids=["Ethernet", "raw", "raw BSD", "raw OpenBSD", "null", "loop", "cooked", "cooked 2"],
)
def test_link_types(link: int, before: bytes, inner: Packet) -> None:
    kind = {4: b"\x08\x00", 6: b"\x86\xdd"}[inner.version]
    head = before.replace(b"type", kind)
    head = head.ljust(20, b"\0") if link == 276 else head
    assert ends(of([head + bytes(inner)], link=link)) == ENDS[inner.version]


@pytest.mark.parametrize(("link", "inner"), [(228, FOUR), (229, SIX)])
def test_raw_of_one_family(link: int, inner: Packet) -> None:
    assert ends(of([inner], link=link)) == ENDS[inner.version]


def test_cooked_2_tells_the_interface() -> None:
    frames = [struct.pack(">HHIHBB8s", 0x0800, 0, index, 1, 0, 6, b"") + bytes(FOUR) for index in (3, 3, 12)]
    seen = of(frames, link=276)
    assert {row["interface"]: row["src_packets"] for row in seen.flows.to_pylist()} == {"if3": 2, "if12": 1}


@pytest.mark.parametrize(
    ("frame", "vlan"),
    [
        (ether() / Dot1Q(vlan=7) / FOUR, 7),
        (ether() / Dot1AD(vlan=100) / Dot1Q(vlan=4095) / FOUR, 4095),
        (ether() / Dot1Q(vlan=0, prio=5) / FOUR, None),
        (ether(type=0x9100) / bytes(Dot1Q(vlan=9, type=0x8100)) / bytes(Dot1Q(vlan=8, type=0x0800)) / bytes(FOUR), 8),
    ],
)
def test_vlan_tags(frame: Packet, vlan: int | None) -> None:
    seen = of([frame])
    assert ends(seen) == ENDS[4]
    assert seen.flows["vlan"].to_pylist() == [vlan]


@pytest.mark.parametrize(
    "frame",
    [
        ether() / MPLS(label=16, s=0) / MPLS(label=17, s=1) / FOUR,
        ether(type=0x8848) / MPLS(label=16, s=1) / FOUR,
        ether() / MPLS(label=16, s=1) / b"\0\0\0\0" / bytes(ether() / FOUR),
        ether() / PPPoE(sessionid=1) / PPP(proto=0x21) / FOUR,
        ether() / Dot1Q(vlan=0) / PPPoE(sessionid=1) / PPP(proto=0x21) / FOUR,
    ],
    ids=["two labels", "multicast label", "pseudowire", "PPPoE", "PPPoE in a VLAN"],
)
def test_labels_and_sessions(frame: Packet) -> None:
    assert ends(of([frame])) == ENDS[4]


def test_pppoe_with_ipv6() -> None:
    assert ends(of([ether() / PPPoE(sessionid=1) / PPP(proto=0x57) / SIX])) == ENDS[6]


@pytest.mark.parametrize(
    "between",
    [
        IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt(),
        IPv6ExtHdrRouting(addresses=["fd00::9"]),
        IPv6ExtHdrFragment(m=0, offset=0, id=1),
    ],
)
def test_ipv6_extension_headers(between: Packet) -> None:
    seen = of([ether() / IPv6(src="fd00::1", dst="fd00::2") / between / UDP(sport=1111, dport=2222)])
    assert ends(seen)[:4] == ENDS[6][:4]
    assert seen.flows["protocol"].to_pylist() == [17]


def test_ipv4_options_are_no_ports() -> None:
    options = ether() / IP(src="10.0.0.1", dst="10.0.0.2", options=[b"\x94\x04\0\0"]) / UDP(sport=1111, dport=2222)
    assert ends(of([options]))[:4] == ENDS[4][:4]


@pytest.mark.parametrize("protocol", [TCP, UDP, SCTP])
def test_protocols_with_ports(protocol: type) -> None:
    seen = of([ether() / IP(src="10.0.0.1", dst="10.0.0.2") / protocol(sport=40000, dport=2222)])
    assert ends(seen)[:4] == ("10.0.0.1", "10.0.0.2", 40000, 2222)


def test_protocols_without_ports() -> None:
    seen = of([ether() / IP(src="10.0.0.1", dst="10.0.0.2", proto=89) / b"ospf and more"])
    assert ends(seen) == ("10.0.0.1", "10.0.0.2", None, None, 33)


def test_icmp_is_keyed_by_addresses() -> None:
    ask, reply = IP(src="10.0.0.1", dst="10.0.0.2"), IP(src="10.0.0.2", dst="10.0.0.1")
    for frames in ([ask / ICMP(type=8), reply / ICMP(type=0)], [reply / ICMP(type=0), ask / ICMP(type=8)]):
        seen = of([ether() / frame for frame in frames])
        assert ends(seen)[:4] == ("10.0.0.1", "10.0.0.2", None, None)
        row = seen.flows.to_pylist()[0]
        assert (row["icmp_type"], row["icmp_code"]) == (frames[0][ICMP].type, 0)
        assert row["connection_state"] is None


def test_icmpv6() -> None:
    ask, reply = IPv6(src="fd00::1", dst="fd00::2"), IPv6(src="fd00::2", dst="fd00::1")
    seen = of([ether() / reply / ICMPv6EchoReply(), ether() / ask / ICMPv6EchoRequest()])
    assert ends(seen)[:2] == ("fd00::1", "fd00::2")
    assert seen.flows["started"].to_pylist() == [False]


OUTER = IP(src="192.0.2.1", dst="192.0.2.2")
OUTER_6 = IPv6(src="2001:db8::1", dst="2001:db8::2")
TUNNELS = [
    (OUTER / UDP(dport=4789) / VXLAN(vni=42, flags=8) / ether() / FOUR, "vxlan", 42),
    (OUTER / UDP(dport=8472) / VXLAN(vni=0xFFFFFF, flags=8) / ether() / FOUR, "vxlan", 0xFFFFFF),
    (OUTER / UDP(dport=4789) / VXLAN(vni=0, flags=0x88, gpid=99) / ether() / FOUR, "vxlan", 0),
    (OUTER_6 / UDP(dport=6081) / GENEVE(vni=7) / ether() / FOUR, "geneve", 7),
    (OUTER / UDP(dport=6081) / GENEVE(vni=7, proto=0x0800) / FOUR, "geneve", 7),
    (OUTER / GRE() / FOUR, "gre", None),
    (OUTER / GRE(key_present=1, key=0xFFFFFFFF) / FOUR, "gre", 0xFFFFFFFF),
    (OUTER / GRE(chksum_present=1, key_present=1, seqnum_present=1, key=5) / FOUR, "gre", 5),
    (OUTER / GRE(proto=0x6558) / ether() / FOUR, "gre", None),
    (OUTER / FOUR, "ipip", None),
    (OUTER_6 / FOUR, "4in6", None),
    (OUTER / SIX, "6in4", None),
    (OUTER_6 / SIX, "ipip", None),
]


@pytest.mark.parametrize(("frame", "tunnel", "number"), TUNNELS, ids=[f"{t[1]} {t[2]}" for t in TUNNELS])
def test_the_inner_flow_with_the_outer_in_its_columns(frame: Packet, tunnel: str, number: int | None) -> None:
    seen = of([ether() / frame])
    assert ends(seen) in ENDS.values()
    row = seen.flows.to_pylist()[0]
    assert (row["tunnel"], row["tunnel_id"]) == (tunnel, number)
    assert (row["tunnel_src_ip"], row["tunnel_dst_ip"]) == (frame.src, frame.dst)


def test_both_directions_of_a_tunnel_are_one_flow() -> None:
    there = OUTER / UDP(sport=50000, dport=4789) / VXLAN(vni=1, flags=8) / ether() / FOUR
    inner = IP(src="10.0.0.2", dst="10.0.0.1") / UDP(sport=2222, dport=1111)
    back = IP(src="192.0.2.2", dst="192.0.2.1") / UDP(sport=50001, dport=4789) / VXLAN(vni=1, flags=8) / ether() / inner
    seen = of([ether() / there, ether() / back])
    assert ends(seen) == ENDS[4]
    assert seen.flows["dst_packets"].to_pylist() == [1]


@pytest.mark.parametrize("keys", [(1, 0x02000001, 0x80000001, 1), (0x80000001, 1, 1, 0x02000001)])
def test_keys_of_gre_that_agree_in_their_low_bits_are_flows_of_their_own(keys: tuple[int, ...]) -> None:
    seen = of([ether() / OUTER / GRE(key_present=1, key=key) / FOUR for key in keys])
    told = {row["tunnel_id"]: row["src_packets"] for row in seen.flows.to_pylist()}
    assert told == {1: 2, 0x02000001: 1, 0x80000001: 1}


def test_unspecified_outer_addresses_keep_their_own_columns() -> None:
    outers = [("::", f"fd00::{n:x}") for n in range(1, 9)]
    frames = [
        ether() / IPv6(src=src, dst=dst) / IP(src=f"10.0.0.{n}", dst="10.0.1.0") / UDP()
        for n, (src, dst) in enumerate(outers)
    ]
    rows = {row["src_ip"]: (row["tunnel_src_ip"], row["tunnel_dst_ip"]) for row in of(frames).flows.to_pylist()}
    assert rows == {f"10.0.0.{n}": pair for n, pair in enumerate(outers)}


@pytest.mark.parametrize(
    "inside",
    [bytes(ether() / ARP()), b"\0" * 60, bytes(ether() / FOUR)[:20]],
    ids=["ARP", "zeros", "cut"],
)
def test_a_tunnel_without_ip_inside_is_the_flow_itself(inside: bytes) -> None:
    seen = of([ether() / OUTER / UDP(sport=50000, dport=4789) / VXLAN(vni=1, flags=8) / Raw(inside)])
    assert ends(seen)[:4] == ("192.0.2.1", "192.0.2.2", 50000, 4789)
    assert seen.flows["tunnel"].to_pylist() == [None]


def nested(depth: int) -> Packet:
    packet = FOUR
    for _ in range(depth):
        packet = OUTER / packet
    return ether() / packet


def test_encapsulation_too_deep_is_the_tunnel_itself() -> None:
    assert ends(of([nested(5)])) == ENDS[4]
    assert ends(of([nested(6)]))[:2] == ("192.0.2.1", "192.0.2.2")


@pytest.mark.parametrize("version", [4, 6])
def test_fragments_belong_to_the_flow_of_the_first(version: int) -> None:
    def piece(offset: int, more: int, body: Packet | bytes, number: int = 77) -> Packet:
        if version == 4:
            return ether() / IP(src="10.0.0.1", dst="10.0.0.2", id=number, frag=offset, flags=more, proto=17) / body
        head = IPv6ExtHdrFragment(nh=17, m=more, offset=offset, id=number)
        return ether() / IPv6(src="10::1", dst="10::2") / head / body

    seen = of(
        [
            piece(0, 1, UDP(sport=1111, dport=2222, len=48) / bytes(16)),
            piece(3, 1, bytes(16)),
            piece(5, 0, bytes(8)),
            piece(5, 0, bytes(8), number=78),
        ]
    )
    assert seen.flows["src_packets"].to_pylist() == [3]
    assert seen.flows["src_port"].to_pylist() == [1111]
    assert discarded(seen) == {"orphan_fragment": 1}
    assert packets(seen) == (4, 4)


def test_a_fragment_takes_no_tcp_fields_from_the_packet_before_it() -> None:
    ends_ = {"src": "10.0.0.1", "dst": "10.0.0.2"}
    closed = ether() / IP(**ends_) / TCP(sport=5, dport=6, flags="A", window=0)
    frames = [
        ether() / IP(**ends_, id=9, flags=1) / TCP(sport=7, dport=8, flags="A", window=9) / bytes(12),
        *[ether() / IP(**ends_, id=9, frag=4, proto=6) / bytes(16)] * 40,
    ]
    for row in of([closed, *frames]).flows.to_pylist():
        assert row["src_zero_windows"] == (1 if row["src_port"] == 5 else 0)


CUTS = [
    (ether() / ARP(), "not_ip"),
    (ether() / LLC() / b"spanning tree", "not_ip"),
    (ether(type=0x8863) / PPPoE() / b"x", "not_ip"),
    (ether() / PPPoE() / PPP(proto=0xC021) / b"lcp", "not_ip"),
    (b"short", "cut_link_header"),
    (ether(type=0x8100) / b"\0", "cut_link_header"),
    (ether(type=0x8847) / b"\0\0\0\0", "cut_link_header"),
    (ether(type=0x0800) / b"", "cut_ip_header"),
    (ether(type=0x0800) / b"\x45\0\0", "cut_ip_header"),
    (ether(type=0x86DD) / b"\x60\0\0", "cut_ip_header"),
    (ether() / IPv6(nh=0, plen=64) / b"\x11\x04", "cut_ip_header"),
    (ether(type=0x0800) / b"\x75" / bytes(40), "bad_ip_header"),
    (ether() / IP(ihl=4, len=40, proto=17) / bytes(20), "bad_ip_header"),
    (ether() / IP(len=19, proto=17) / bytes(20), "bad_ip_header"),
    (ether() / IP(len=40, proto=6) / b"\0\1", "cut_transport_header"),
    (ether() / IP(len=22, proto=6) / b"\0\1", "bad_transport_header"),
]


@pytest.mark.parametrize(("frame", "reason"), CUTS, ids=[f"{n} {c[1]}" for n, c in enumerate(CUTS)])
def test_what_is_in_no_flow_has_its_reason(frame: Packet | bytes, reason: str) -> None:
    seen = of([frame])
    assert discarded(seen) == {reason: 1}
    assert packets(seen) == (1, 1)


def test_an_unknown_link_type() -> None:
    seen = of([FOUR], link=147)
    assert discarded(seen) == {"unknown_link_type": 1}


def test_offloaded_lengths_are_taken_from_the_frame() -> None:
    big = ether() / IP(src="10.0.0.1", dst="10.0.0.2", len=0) / UDP(sport=1111, dport=2222) / bytes(100)
    six = ether() / IPv6(src="fd00::1", dst="fd00::2", plen=0) / UDP(sport=1111, dport=2222) / bytes(100)
    assert ends(of([big]))[4] == 128
    assert ends(of([six]))[4] == 148


def test_padding_is_not_counted() -> None:
    assert ends(of([bytes(ether() / FOUR) + bytes(30)])) == ENDS[4]


def test_a_cut_packet_counts_with_its_whole_length() -> None:
    whole = bytes(ether() / IP(src="10.0.0.1", dst="10.0.0.2") / UDP(sport=1111, dport=2222) / bytes(500))
    data = pcap(timed([whole]))
    head, kept = data[:24], 60
    record = struct.pack("<IIII", 1, 0, kept, len(whole)) + whole[:kept]
    from tests.support.frames import from_bytes

    seen = from_bytes(head + record)
    assert ends(seen)[4] == 528
    assert seen.coverage["cut_packets"].to_pylist() == [1]
