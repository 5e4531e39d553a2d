"""The ClientHello in a flow: over TCP in pieces, over QUIC in datagrams, and how many are kept."""

import struct

import pytest

from collector.kernels.layout import INITIAL_DATAGRAMS, MAX_HELLOS, MAX_INITIALS
from collector.kernels.state import Bounds
from tests.support.frames import START, Collected, from_bytes, of, packets, pcap, timed
from tests.support.hellos import client_hello, in_records, tls_record
from tests.support.quic import V1, V2, crypto, initial, initial_datagrams
from tests.support.segments import Connection, End, permuted, udp

CLIENT, WEB = ("10.0.0.1", 40000), ("192.0.2.80", 443)
WORDS = ("tls_sni", "tls_version", "alpn", "tls_ech")
TOLD = ("api.example", "TLS 1.3", ["h2", "http/1.1"], False)
HELLO = client_hello("api.example")
LONG = client_hello("api.example", padding=1_300)


def opened() -> tuple[Connection, list[bytes]]:
    talk = Connection(CLIENT, WEB)
    return talk, talk.open()


def words(seen: Collected) -> tuple[object, ...]:
    assert seen.flows.num_rows == 1
    row = seen.flows.to_pylist()[0]
    return tuple(row[name] for name in WORDS)


def test_a_hello_in_one_segment() -> None:
    talk, frames = opened()
    seen = of([*frames, talk.send("PA", tls_record(HELLO))])
    assert (words(seen), seen.flows["application"].to_pylist()) == (TOLD, ["tls"])


def test_a_hello_cut_anywhere_into_two_segments() -> None:
    frames, wire = [], tls_record(HELLO)
    for cut in range(1, len(wire)):
        talk = Connection(("10.0.0.1", 2_000 + cut), WEB)
        frames += [*talk.open(), *talk.pieces(wire, [cut])]
    rows = of(frames).flows.to_pylist()
    assert [row["src_port"] - 2_000 for row in rows if tuple(row[name] for name in WORDS) != TOLD] == []
    assert len(rows) == len(wire) - 1


def test_a_hello_in_segments_of_one_octet() -> None:
    talk, frames = opened()
    wire = tls_record(HELLO)
    assert words(of([*frames, *talk.pieces(wire, [1] * len(wire))])) == TOLD


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0), (1, 1, 0, 0, 2)])
def test_a_hello_in_any_order_of_its_segments(order: tuple[int, ...]) -> None:
    talk, frames = opened()
    parts = talk.pieces(tls_record(LONG), [500, 500])
    assert words(of([*frames, *permuted(parts, order), *talk.close()])) == TOLD


@pytest.mark.parametrize("sizes", [[1], [4], [1, 1, 1, 1, 1], [100, 200, 300]])
def test_a_hello_in_several_records(sizes: list[int]) -> None:
    wire = in_records(LONG, sizes)
    for cuts in ([], [700], [3 + len(wire) // 2]):
        talk, frames = opened()
        assert words(of([*frames, *talk.pieces(wire, cuts)])) == TOLD


def test_what_follows_the_hello_is_not_looked_at() -> None:
    talk, frames = opened()
    more = (
        talk.send("PA", tls_record(HELLO) + tls_record(bytes(50), 23)),
        talk.send("PA", tls_record(client_hello("b.example"))),
    )
    assert words(of([*frames, *more])) == TOLD


def test_a_hello_of_the_middle_of_a_connection() -> None:
    """Kept by whoever sends it where the handshake was not seen."""
    talk = Connection(CLIENT, WEB)
    assert words(of([talk.send("PA", tls_record(HELLO))])) == TOLD


@pytest.mark.parametrize("ech", [True, False])
def test_an_encrypted_hello_is_marked(ech: bool) -> None:
    talk, frames = opened()
    seen = of([*frames, talk.send("PA", tls_record(client_hello("public.example", encrypted=ech)))])
    assert (seen.flows["tls_ech"].to_pylist(), seen.flows["tls_sni"].to_pylist()) == ([ech], ["public.example"])


@pytest.mark.parametrize(
    "wire",
    [
        b"\x16\x03\x01\x00\x00" + bytes(20),
        b"\x16\x03\x01\xff\xff\x01\xff\xff\xff" + bytes(50),
        b"\x16\x02\x00\x00\x30\x01" + bytes(40),
    ],
    ids=["empty record", "longer than any", "version 2"],
)
def test_what_only_looks_like_a_hello(wire: bytes) -> None:
    talk, frames = opened()
    seen = of([*frames, talk.send("PA", wire), talk.send("PA", bytes(100))])
    assert seen.flows["tls_sni"].to_pylist() == [None]
    assert packets(seen) == (5, 5)


def repeated(frame: bytes, count: int, port_at: int) -> bytes:
    """A capture of the same frame from ever other addresses and ports."""
    head, tail = frame[:26], frame[34:]
    parts = [pcap([])]
    for number in range(count):
        ends = struct.pack(">BBHI", 10, number >> 16, number & 0xFFFF, 0xC0000250)
        changed = bytearray(head + ends + tail)
        struct.pack_into(">H", changed, port_at, 1024 + number % 60_000)
        parts.append(struct.pack("<IIII", START, number % 1_000_000, len(changed), len(changed)) + bytes(changed))
    return b"".join(parts)


def told(seen: Collected) -> tuple[int, int]:
    """(hellos that were not kept, flows that have their name)."""
    names = seen.flows["tls_sni"]
    return int(seen.coverage["hello_overflows"].to_pylist()[0]), len(names) - names.null_count


def test_more_hellos_than_the_bound_are_counted() -> None:
    talk, _ = opened()
    data = repeated(talk.send("PA", tls_record(HELLO)), MAX_HELLOS + 10, 34)
    seen = from_bytes(data, Bounds(1 << 17, 16))
    assert told(seen) == (10, MAX_HELLOS)
    assert packets(seen) == (MAX_HELLOS + 10,) * 2


def test_more_initials_than_there_is_room_for_are_read_early() -> None:
    data = repeated(udp(CLIENT, WEB, initial_datagrams(HELLO)[0]), 2 * MAX_INITIALS, 34)
    seen = from_bytes(data, Bounds(1 << 13, 16))
    assert told(seen) == (0, 2 * MAX_INITIALS)
    assert seen.flows["application"].to_pylist() == ["quic"] * 2 * MAX_INITIALS


def test_the_rest_of_a_hello_comes_when_many_others_have_begun() -> None:
    """Half of those that wait are read early, those that waited longest: a quarter of the room is no danger to anybody."""
    first, second = (udp(CLIENT, WEB, data) for data in initial_datagrams(LONG, split=[900]))
    one = initial_datagrams(client_hello("other.example"))[0]
    others = [udp(("10.8.0.1", 1_024 + number), WEB, one) for number in range(MAX_INITIALS // 4)]
    rows = from_bytes(pcap(timed([first, *others, second], 1e-6)), Bounds(1 << 12, 16)).flows.to_pylist()
    assert [row["tls_sni"] for row in rows if row["src_ip"] == CLIENT[0]] == ["api.example"]


def test_hellos_of_flows_that_ended_make_room_for_others() -> None:
    """A table of few flows, and one hello a flow: however many come, few are live."""
    talk, _ = opened()
    tls = repeated(talk.send("PA", tls_record(HELLO)), 2 * MAX_HELLOS, 34)
    assert told(from_bytes(tls, Bounds(1 << 8, 16))) == (0, 2 * MAX_HELLOS)
    quic = repeated(udp(CLIENT, WEB, initial_datagrams(HELLO)[0]), 4 * MAX_INITIALS, 34)
    assert told(from_bytes(quic, Bounds(1 << 8, 16))) == (0, 4 * MAX_INITIALS)


def quic(datagrams: list[bytes], web: End = WEB) -> Collected:
    return of([udp(CLIENT, web, data) for data in datagrams])


@pytest.mark.parametrize("version", [V1, V2])
@pytest.mark.parametrize("port", [443, 8443, 50000])
def test_quic_is_told_by_its_packets_and_not_by_its_port(version: int, port: int) -> None:
    seen = quic(initial_datagrams(HELLO, version), ("192.0.2.80", port))
    assert (words(seen), seen.flows["application"].to_pylist()) == (TOLD, ["quic"])


@pytest.mark.parametrize("version", [V1, V2])
def test_a_hello_over_several_datagrams_in_any_order(version: int) -> None:
    flight = initial_datagrams(LONG, version, split=[500, 900])
    for order in [(0, 1, 2), (2, 1, 0), (1, 2, 0), (0, 0, 2, 1)]:
        assert words(quic(permuted(flight, order))) == TOLD


def test_a_hello_with_a_datagram_lost_is_told_as_far_as_it_goes() -> None:
    flight = initial_datagrams(client_hello("api.example", trailing=1_300), split=[500, 900])
    assert words(quic(flight[::2]))[0] == "api.example"
    assert words(quic(flight[1:]))[0] is None


def test_datagrams_beyond_the_bound_of_a_flow_are_not_kept() -> None:
    flight = initial_datagrams(LONG, split=[1_200])
    empty = [initial(b"\1" + bytes(1_170), number=number) for number in range(1, INITIAL_DATAGRAMS)]
    assert words(quic([flight[0], *empty[1:], flight[1]])) == TOLD
    assert words(quic([flight[0], *empty, flight[1]]))[0] is None


def test_a_datagram_with_zero_rtt_behind_the_initial() -> None:
    small = initial(crypto(0, HELLO))
    early = b"\xd0\0\0\0\1\x08" + bytes.fromhex("8394c8f03e515708") + b"\0\x44\xb0" + bytes(1_200)
    assert words(quic([small + early])) == TOLD


@pytest.mark.parametrize(
    "data",
    [
        initial(crypto(0, HELLO)),  # shorter than a client may send
        initial_datagrams(HELLO)[0][:1_199],
        b"\xc0\0\0\0\2" + bytes(1_300),
        b"\xc0\0\0\0\1\x15" + bytes(1_300),
        b"\x40" + bytes(1_300),
        bytes(1_300),
    ],
    ids=["short", "cut", "version", "connection id", "short header", "zeros"],
)
def test_what_is_no_initial(data: bytes) -> None:
    seen = quic([data])
    assert (words(seen), seen.flows["application"].to_pylist()) == ((None,) * 4, [None])


def test_an_initial_that_does_not_open_is_quic_without_a_name() -> None:
    whole = bytearray(initial_datagrams(HELLO)[0])
    whole[700] ^= 1
    seen = quic([bytes(whole)])
    assert (seen.flows["tls_sni"].to_pylist(), seen.flows["application"].to_pylist()) == ([None], ["quic"])


def test_the_servers_initial_gives_no_name() -> None:
    """A server's flight is protected by other keys; one that pretends to be a client's is not the opener's."""
    ask, pretended = initial_datagrams(HELLO)[0], initial_datagrams(client_hello("other.example"))[0]
    frames = [udp(CLIENT, WEB, b"\xc0" + bytes(20)), udp(WEB, CLIENT, pretended), udp(CLIENT, WEB, ask)]
    assert of(frames).flows["tls_sni"].to_pylist()[0] in (None, "api.example")
    assert of([frames[2], frames[1]]).flows["tls_sni"].to_pylist() == ["api.example"]


def test_frames_of_both_kinds_in_one_capture() -> None:
    talk, frames = opened()
    tcp = [*frames, talk.send("PA", tls_record(client_hello("tcp.example")))]
    seen = from_bytes(pcap(timed([*tcp, *(udp(CLIENT, WEB, data) for data in initial_datagrams(HELLO))])))
    assert {row["protocol"]: row["tls_sni"] for row in seen.flows.to_pylist()} == {6: "tcp.example", 17: "api.example"}
