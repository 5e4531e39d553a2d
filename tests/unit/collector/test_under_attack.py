"""What an attacker sends, or a capture misses, costs little of what others said."""

import struct
from random import Random

import pytest
from scapy.layers.inet import IP, TCP

from collector.kernels.state import Bounds
from tests.support.frames import Collected, at, ether, from_bytes, of, pcap
from tests.support.hellos import client_hello, tls_record
from tests.support.messages import over_tcp, query, response
from tests.support.quic import initial_datagrams
from tests.support.segments import fragments, segment, udp

CLIENT, SERVER = ("10.0.0.1", 40000), ("10.0.0.2", 53)
LEGITIMATE = 100


def handshake(port: int) -> list[object]:
    there, back = {"src": "10.1.0.1", "dst": "10.1.0.2"}, {"src": "10.1.0.2", "dst": "10.1.0.1"}
    return [
        ether() / IP(**there) / TCP(sport=port, dport=443, flags="S", seq=1),
        ether() / IP(**back) / TCP(sport=443, dport=port, flags="SA", seq=1, ack=2),
        ether() / IP(**there) / TCP(sport=port, dport=443, flags="A", seq=2, ack=2),
    ]


def names(seen: Collected) -> list[str]:
    return sorted(seen.dns["qname"].to_pylist())


@pytest.mark.parametrize("answer", [None, "SA", "RA"])
def test_a_flood_of_syns_answered_or_not_leaves_connections_alone(answer: str | None) -> None:
    random = Random(7)
    frames = [frame for port in range(2000, 2000 + LEGITIMATE) for frame in handshake(port)]
    for _ in range(3000):
        spoofed, port = f"198.18.{random.randrange(256)}.{random.randrange(256)}", random.randrange(1024, 65536)
        frames.append(ether() / IP(src=spoofed, dst="10.1.0.2") / TCP(sport=port, dport=443, flags="S"))
        if answer:
            frames.append(ether() / IP(src="10.1.0.2", dst=spoofed) / TCP(sport=443, dport=port, flags=answer))
    rows = at([(place * 0.0001, frame) for place, frame in enumerate(frames)], Bounds(256, 16)).flows.to_pylist()
    kept = [row for row in rows if row["src_ip"] == "10.1.0.1"]
    assert [(row["end_reason"], row["src_packets"]) for row in kept] == [("shutdown", 2)] * LEGITIMATE


def test_fragments_of_long_ago_are_no_part_of_a_datagram_with_the_same_id() -> None:
    old = fragments(SERVER, CLIENT, response(1, name="old.example", text=3), 480, 77)
    new = fragments(SERVER, CLIENT, response(2, name="new.example", text=3), 480, 77)
    seen = at([(0, old[0]), (200, new[1]), (200.1, new[0]), *[(200.2, piece) for piece in new[2:]]], Bounds(64, 16))
    assert names(seen) == ["new.example"]


def test_an_octet_beyond_any_window_hides_nothing() -> None:
    frames = [segment(CLIENT, SERVER, "S", 99), segment(CLIENT, SERVER, "PA", 100 + 200_000, b"x")]
    frames.append(segment(CLIENT, SERVER, "PA", 100, over_tcp(query(1, "a.example"))))
    assert names(of(frames)) == ["a.example"]


def test_a_syn_with_another_sequence_number_begins_again() -> None:
    frames = [segment(CLIENT, SERVER, "S", 5_000_000), segment(CLIENT, SERVER, "S", 99)]
    seen = of([*frames, segment(CLIENT, SERVER, "PA", 100, over_tcp(query(1, "a.example")))])
    assert names(seen) == ["a.example"]
    assert seen.flows["src_retransmits"].to_pylist() == [0]


def test_what_the_capture_missed_and_the_server_has_is_not_waited_for() -> None:
    wires = [over_tcp(query(number, f"n{number}.example")) for number in range(8)]
    starts = [100 + sum(map(len, wires[:number])) for number in range(9)]
    frames = [segment(CLIENT, SERVER, "S", 99)]
    for number, wire in enumerate(wires):
        if number != 3:
            frames.append(segment(CLIENT, SERVER, "PA", starts[number], wire))
        frames.append(segment(SERVER, CLIENT, "A", 1, ack=starts[number + 1]))
    assert names(of(frames)) == sorted(f"n{number}.example" for number in range(8) if number != 3)


def test_a_syn_ack_to_nobody_makes_no_listener() -> None:
    forged = segment(CLIENT, ("10.0.0.9", 5), "SA", 1, ack=2)
    row = of([forged, segment(CLIENT, SERVER, "A", 1, ack=2)]).flows.to_pylist()[1]
    assert (row["src_ip"], row["opened_by"]) == ("10.0.0.1", "port")


def test_a_backslash_in_a_server_name_is_escaped() -> None:
    hello = tls_record(client_hello("a\\065b.example"))
    frames = [segment(CLIENT, ("10.0.0.2", 443), "S", 99), segment(CLIENT, ("10.0.0.2", 443), "PA", 100, hello)]
    assert of(frames).flows["tls_sni"].to_pylist() == ["a\\092065b.example"]


def test_quic_that_was_cut_is_quic() -> None:
    whole = udp(CLIENT, ("10.0.0.2", 443), initial_datagrams(b"\1\0\0\0")[0])
    record = struct.pack("<IIII", 1, 0, 256, len(whole)) + whole[:256]
    assert from_bytes(pcap([]) + record).flows["application"].to_pylist() == ["quic"]
