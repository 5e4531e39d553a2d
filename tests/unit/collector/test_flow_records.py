"""Flow records: connection states, handshakes, retransmits, timeouts, orientation, eviction."""

import ssl
import struct
import time

import dns.message
import pytest
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.packet import Packet

from collector.kernels.state import Bounds
from tests.support.frames import SECOND, Collected, at, discarded, ether, from_bytes, of, packets, pcap, timed

CLIENT, SERVER = ("10.0.0.1", 40000), ("10.0.0.2", 8080)
TINY = Bounds(max_flows=16, max_pending=16)
BOUNDS = Bounds(1 << 10, 1 << 10, idle_us=60 * SECOND, active_us=300 * SECOND, linger_us=5 * SECOND)


def tcp(flags: str, src: tuple[str, int] = CLIENT, size: int = 0, **fields: int) -> Packet:
    dst = SERVER if src == CLIENT else CLIENT
    head = IP(src=src[0], dst=dst[0]) / TCP(sport=src[1], dport=dst[1], flags=flags, **fields)
    return ether() / head / bytes(size)


def one(seen: Collected) -> dict[str, object]:
    assert seen.flows.num_rows == 1, seen.flows.to_pylist()
    row: dict[str, object] = seen.flows.to_pylist()[0]
    return row


def talk(script: str) -> list[Packet]:
    """``>S <SA >A`` …: who sends, which flags."""
    return [tcp(word[1:], CLIENT if word[0] == ">" else SERVER) for word in script.split()]


OPEN = ">S <SA >A "


@pytest.mark.parametrize(
    ("script", "state"),
    [
        (">S", "S0"),
        (">S >S >S", "S0"),
        (OPEN, "S1"),
        (OPEN + ">FA <FA >A", "SF"),
        (OPEN + ">FA <A", "S2"),
        (OPEN + "<FA >A", "S3"),
        (OPEN + ">R", "RSTO"),
        (OPEN + ">FA >R", "RSTO"),
        (OPEN + "<R", "RSTR"),
        (">S <RA", "REJ"),
        (">S >R", "RSTOS0"),
        (">S >F", "SH"),
        ("<SA <R", "RSTRH"),
        ("<SA <F", "SHR"),
        (">A <A", "OTH"),
        (">PA >FA <FA", "SF"),
        (">PA <R", "RSTRH"),
        (">PA >R", "OTH"),
        (">S <S <SA >SA >A", "S1"),  # both open at once
        (">S <SA >R", "RSTO"),
        (OPEN + ">FA <R", "RSTR"),
        (OPEN + ">FA <FA <R", "SF"),  # a RST after both have closed changes nothing
        (OPEN + "<FA <R >FA", "SF"),  # a FIN that was on its way when the other end's RST came
        (OPEN + ">R <R", "REJ"),  # both aborted, and no data was sent
        (">S <A", "S0"),  # an ACK to a SYN of old
        (">S >A >R", "OTH"),
    ],
)
def test_connection_states_in_the_meaning_of_zeek(script: str, state: str) -> None:
    row = one(of(talk(script)))
    assert row["connection_state"] == state
    assert (row["src_ip"], row["src_port"], row["dst_ip"], row["dst_port"]) == (*CLIENT, *SERVER)


@pytest.mark.parametrize(
    ("script", "started", "ended", "reason"),
    [
        (OPEN, True, False, "shutdown"),
        (OPEN + ">FA <FA", True, True, "closed"),
        (OPEN + "<RA", True, True, "reset"),
        (">A <FA", False, False, "shutdown"),
    ],
)
def test_started_and_ended(script: str, started: bool, ended: bool, reason: str) -> None:
    row = one(of(talk(script)))
    assert (row["started"], row["ended"], row["end_reason"]) == (started, ended, reason)


@pytest.mark.parametrize(("back", "state"), [([], "S0"), ([IP(src="10.0.0.2", dst="10.0.0.1")], "SF")])
def test_udp_states(back: list[Packet], state: str) -> None:
    ask = ether() / IP(src="10.0.0.1", dst="10.0.0.2") / UDP(sport=4000, dport=123)
    answers = [ether() / head / UDP(sport=123, dport=4000) for head in back]
    assert one(of([ask, *answers]))["connection_state"] == state


def test_udp_answered_by_a_server_nobody_was_seen_to_ask() -> None:
    row = one(of([ether() / IP(src="10.0.0.2", dst="10.0.0.1") / UDP(sport=123, dport=4000)]))
    assert (row["src_ip"], row["connection_state"], row["started"]) == ("10.0.0.1", "SHR", False)


def test_both_directions_are_counted_apart() -> None:
    row = one(of([tcp("S"), tcp("SA", SERVER), tcp("A"), tcp("PA", size=100), tcp("A", SERVER), tcp("PA", SERVER, 7)]))
    assert (row["src_packets"], row["dst_packets"]) == (3, 3)
    assert (row["src_bytes"], row["dst_bytes"]) == (220, 127)
    assert (row["src_tcp_flags"], row["dst_tcp_flags"]) == (0x1A, 0x1A)


def test_handshake_times() -> None:
    row = one(at([(0, tcp("S")), (0.010, tcp("SA", SERVER)), (0.013, tcp("A")), (0.5, tcp("A"))]))
    assert (row["server_handshake_us"], row["client_handshake_us"]) == (10_000, 3_000)


def test_no_handshake_time_without_both_ends_of_it() -> None:
    row = one(of(talk("<SA >A")))
    assert (row["server_handshake_us"], row["client_handshake_us"]) == (None, 1_000)
    row = one(of(talk(">S >A")))
    assert (row["server_handshake_us"], row["client_handshake_us"]) == (None, None)


def test_handshake_against_the_clock_tells_nothing() -> None:
    row = one(at([(9_000, tcp("S")), (0, tcp("SA", SERVER)), (1, tcp("A"))]))
    assert row["server_handshake_us"] is None


def test_retransmits_of_each_end() -> None:
    frames = [tcp("S", seq=99), tcp("S", seq=99), tcp("SA", SERVER, seq=499), tcp("A", seq=100)]
    frames += [tcp("PA", size=10, seq=100), tcp("PA", size=10, seq=100), tcp("PA", size=10, seq=110)]
    frames += [tcp("PA", SERVER, 5, seq=500), tcp("A", seq=120), tcp("PA", SERVER, 5, seq=500)]
    frames += [tcp("FA", SERVER, seq=505), tcp("FA", SERVER, seq=505)]
    row = one(of(frames))
    assert (row["src_retransmits"], row["dst_retransmits"]) == (2, 2)


def test_what_is_no_retransmit() -> None:
    keep_alive = tcp("A", size=1, seq=109)
    wrapped = [tcp("PA", SERVER, 100, seq=0xFFFFFFC0), tcp("PA", SERVER, 100, seq=0x24), tcp("A", SERVER, seq=0x88)]
    gap = tcp("PA", size=10, seq=500)
    row = one(of([tcp("PA", size=10, seq=100), keep_alive, gap, *wrapped, tcp("R", seq=100)]))
    assert (row["src_retransmits"], row["dst_retransmits"]) == (0, 0)


def test_zero_windows() -> None:
    row = one(of([tcp("S", window=0), tcp("A", SERVER, window=0), tcp("A", SERVER, window=0), tcp("R", window=0)]))
    assert (row["src_zero_windows"], row["dst_zero_windows"]) == (0, 2)


def test_udp_has_no_tcp_columns() -> None:
    row = one(of([ether() / IP() / UDP()]))
    assert row["src_tcp_flags"] is row["src_retransmits"] is row["dst_zero_windows"] is None


def test_idle_flow_ends_and_the_next_packet_begins_another() -> None:
    rows = at([(0, tcp("S")), (59, tcp("SA", SERVER)), (120, tcp("A"))], BOUNDS).flows.to_pylist()
    told = [(r["end_reason"], r["started"], r["ended"], r["src_packets"], r["dst_packets"]) for r in rows]
    assert told == [("idle", True, False, 1, 1), ("shutdown", False, False, 1, 0)]


def test_the_sweep_ends_an_idle_flow_that_no_packet_finds() -> None:
    other = ether() / IP(src="10.9.0.1", dst="10.9.0.2") / UDP(sport=1, dport=2)
    rows = at([(0, tcp("S")), (50, other), (100, other), (140, other)], BOUNDS).flows.to_pylist()
    assert {row["src_ip"]: row["end_reason"] for row in rows} == {"10.0.0.1": "idle", "10.9.0.1": "shutdown"}


def test_a_long_connection_is_written_again_and_again() -> None:
    script = [(0, tcp("S")), (0.1, tcp("SA", SERVER)), (0.2, tcp("A"))]
    script += [(when, tcp("PA", size=1, seq=when)) for when in range(50, 700, 50)]
    rows = at([*script, (700, tcp("FA")), (700.1, tcp("FA", SERVER))], BOUNDS).flows.to_pylist()
    told = [(row["end_reason"], row["started"], row["ended"]) for row in rows]
    assert told == [("active", True, False), ("active", False, False), ("closed", False, True)]
    assert sum(row["src_packets"] for row in rows) == 16
    assert [row["connection_state"] for row in rows] == ["S1", "S1", "SF"]
    assert rows[0]["server_handshake_us"] == 100_000
    assert rows[1]["server_handshake_us"] is None
    assert all(row["end_time"] >= row["start_time"] for row in rows)


def test_a_port_used_again_after_the_close_is_a_new_connection() -> None:
    rows = of(talk(OPEN + ">FA <FA >A >S <SA >A")).flows.to_pylist()
    assert [(r["connection_state"], r["src_packets"], r["started"]) for r in rows] == [("SF", 4, True), ("S1", 2, True)]


@pytest.mark.parametrize(("script", "state"), [(">S >A >FA >S >A >FA", "SH"), ("<SA <A <FA <SA <A <FA", "SHR")])
def test_a_port_used_again_is_a_new_connection_where_only_one_way_passes(script: str, state: str) -> None:
    """As from a node to another's pod: its packets go through the overlay, and the pod's come back without it."""
    rows = of(talk(script), step=0.4).flows.to_pylist()
    assert [(row["connection_state"], row["src_packets"] + row["dst_packets"]) for row in rows] == [(state, 3)] * 2


def test_what_comes_late_belongs_to_the_closed_connection() -> None:
    late = [(0.3, tcp("FA")), (0.4, tcp("FA", SERVER)), (4.0, tcp("A"))]
    assert one(at([(0, tcp("S")), (0.1, tcp("SA", SERVER)), *late], BOUNDS))["src_packets"] == 3
    assert at([(0, tcp("S")), (0.1, tcp("R", SERVER)), (9.0, tcp("A"))], BOUNDS).flows.num_rows == 2


def test_a_lagging_clock_does_not_tear_flows_apart() -> None:
    other = ether() / IP(src="10.9.0.1", dst="10.9.0.2") / UDP(sport=1, dport=2)
    frames = [
        (7200 + place / 10 if place % 2 else place / 10, other if place % 2 else tcp("A")) for place in range(200)
    ]
    rows = at(frames, BOUNDS).flows.to_pylist()
    assert sorted(row["src_packets"] for row in rows) == [1, 99, 100]  # the first jump looks like two hours of silence


@pytest.mark.parametrize("first", [1, 0])
def test_opener_of_a_connection_whose_start_was_not_seen(first: int) -> None:
    frames = [tcp("A"), tcp("A", SERVER)]
    row = one(of(frames[::-1] if first else frames))
    assert (row["src_ip"], row["opened_by"], row["started"]) == ("10.0.0.1", "port", False)
    for server, client, known in ((80, 1025, "port"), (2379, 40000, "port"), (9000, 9001, "first_packet")):
        row = one(of([ether() / IP(src="10.0.0.2", dst="10.0.0.1") / TCP(sport=server, dport=client, flags="A")]))
        assert row["opened_by"] == known
        assert row["src_ip"] == ("10.0.0.1" if known == "port" else "10.0.0.2")


def test_a_later_syn_tells_the_opener() -> None:
    row = one(of([tcp("A", SERVER), tcp("S"), tcp("SA", SERVER)]))
    assert (row["src_ip"], row["connection_state"], row["started"]) == ("10.0.0.1", "S1", True)


def test_a_syn_in_a_later_record_of_a_connection_starts_that_record_only() -> None:
    rows = at([(0, tcp("A")), *[(n * 50, tcp("A")) for n in range(1, 7)], (310, tcp("S"))], BOUNDS).flows.to_pylist()
    assert [(row["end_reason"], row["started"]) for row in rows] == [("active", False), ("shutdown", True)]


def test_an_ipv6_packet_with_ipv4_addresses_in_it_is_no_ipv4_packet() -> None:
    body = UDP(sport=5000, dport=53) / dns.message.make_query("a.example", "A").to_wire()
    six = ether() / IPv6(src="::ffff:10.0.0.1", dst="::ffff:10.0.0.2") / body
    seen = of([ether() / IP(src="10.0.0.1", dst="10.0.0.2") / body, six, six])
    for column, table in (("src_ip", seen.flows), ("client_ip", seen.dns)):
        assert sorted(table[column].to_pylist()) == ["10.0.0.1", "::ffff:10.0.0.1"]
    assert {row["dst_ip"]: row["src_packets"] for row in seen.flows.to_pylist()}["::ffff:10.0.0.2"] == 2


def test_the_same_ends_and_port_on_both_sides() -> None:
    frames = [ether() / IP(src="10.0.0.1", dst="10.0.0.1") / UDP(sport=5, dport=5)] * 3
    assert one(of(frames))["src_packets"] == 3


def test_a_full_table_evicts_and_loses_nothing() -> None:
    frames = [ether() / IP(src="10.0.0.1", dst="10.0.1.1") / TCP(sport=port, dport=80) for port in range(2000, 3000)]
    seen = of(frames, step=0.0001, bounds=TINY)
    reasons = seen.flows["end_reason"].to_pylist()
    assert reasons.count("evicted") == 1000 - 16 == seen.coverage["evictions"].to_pylist()[0]
    assert packets(seen) == (1000, 1000)
    assert set(seen.flows["src_packets"].to_pylist()) == {1}


def test_answered_flows_outlive_a_flood_of_half_open_ones() -> None:
    flood = [ether() / IP(src="10.7.0.1", dst="10.0.1.1") / TCP(sport=port, dport=80) for port in range(2000, 2500)]
    seen = of([*talk(OPEN), *flood, *talk(">FA <FA")], step=0.0001, bounds=TINY)
    row = next(row for row in seen.flows.to_pylist() if row["src_ip"] == "10.0.0.1")
    assert (row["connection_state"], row["src_packets"], row["dst_packets"]) == ("SF", 3, 2)


def hello(name: str | None, protocols: list[str], newest: ssl.TLSVersion | None = None) -> bytes:
    """The first flight of a real TLS client."""
    context = ssl.create_default_context()
    context.check_hostname = name is not None
    if protocols:
        context.set_alpn_protocols(protocols)
    if newest:
        context.maximum_version = newest
    outgoing = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


def with_payload(payload: bytes) -> list[Packet]:
    data = tcp("PA", seq=1)
    data[TCP].add_payload(payload)
    return [*talk(OPEN), data]


@pytest.mark.parametrize(
    ("name", "protocols", "newest", "version"),
    [
        ("API.stripe.example", ["h2", "http/1.1"], None, "TLS 1.3"),
        ("old.example", [], ssl.TLSVersion.TLSv1_2, "TLS 1.2"),
        (None, ["h2"], None, "TLS 1.3"),
    ],
)
def test_client_hello(name: str | None, protocols: list[str], newest: ssl.TLSVersion | None, version: str) -> None:
    row = one(of(with_payload(hello(name, protocols, newest))))
    assert row["tls_sni"] == (name.lower() if name else None)
    assert row["alpn"] == (protocols or None)
    assert row["tls_version"] == version


def test_client_hello_with_hostile_words() -> None:
    payload = hello("aaaaaaaaaaaaaaaa.example", ["h2"]).replace(
        b"aaaaaaaaaaaaaaaa", b'<b>\xff\0\x1b[31m\xe2\x80\xae\\".'
    )
    assert one(of(with_payload(payload)))["tls_sni"] == '<b>\\255\\000\\027[31m\\226\\128\\174\\092".' + ".example"


def test_client_hello_cut_anywhere() -> None:
    whole = hello("api.stripe.example", ["h2"])
    for cut in range(1, len(whole), 3):
        row = one(of(with_payload(whole[:cut])))
        assert row["tls_sni"] in (None, "api.stripe.example")
    assert row["tls_version"] == "TLS 1.3" or row["tls_version"] == "TLS 1.2"


def test_many_hellos_each_with_its_flow() -> None:
    frames = []
    for number in range(40):
        head = IP(src="10.0.0.1", dst="10.0.0.2") / TCP(sport=3000 + number, dport=443, flags="PA")
        frames.append(ether() / head / hello(f"n{number % 7}.example", ["h2"] if number % 2 else []))
    for row in of(frames).flows.to_pylist():
        number = row["src_port"] - 3000
        assert row["tls_sni"] == f"n{number % 7}.example"
        assert row["alpn"] == (["h2"] if number % 2 else None)


def test_a_syn_flood_is_bounded_and_counted() -> None:
    frames = [ether() / IP(src=f"10.{n // 250}.{n % 250}.9", dst="10.0.1.1") / TCP(dport=80) for n in range(3000)]
    seen = of(frames, bounds=TINY)
    assert packets(seen) == (3000, 3000)
    assert discarded(seen) == {}


def seconds_for(pairs: list[tuple[int, int]]) -> float:
    """For UDP over IPv6 between networks of these numbers."""
    tail = bytes(ether() / IPv6(src="::1", dst="::2") / UDP(sport=4000, dport=4001))
    ends = [struct.pack(">QQQQ", 0xFD << 56 | src, 1, 0xFD << 56 | dst, 2) for src, dst in pairs]
    data = pcap(timed([tail[:22] + pair + tail[54:] for pair in ends], 1e-6))
    began = time.perf_counter()
    assert from_bytes(data, Bounds(1 << 15, 16)).flows.num_rows == len(pairs)
    return time.perf_counter() - began


def test_addresses_that_differ_alike_cost_what_other_addresses_cost() -> None:
    alike = [(number, number ^ 0x10000) for number in range(20_000)]
    others = [(number, 0x10000) for number in range(20_000)]
    seconds_for(alike[:10])
    assert seconds_for(alike) < 10 * seconds_for(others)
