"""Fragments: whose ports they have, when they are orphans, and messages put together from them."""

import pytest

from collector.kernels.layout import MAX_DATAGRAMS, MAX_FRAGMENTED, MAX_PIECES
from tests.support.frames import Collected, at, discarded, from_bytes, of, packets, pcap, timed
from tests.support.messages import query, response
from tests.support.segments import CLIENT, SERVER, TCP, UDP, End, datagram, fragment, fragments, permuted, udp

CLIENT_6, SERVER_6 = ("fd00::1", 4000), ("fd00::53", 53)
FAMILIES = pytest.mark.parametrize(("client", "server"), [(CLIENT, SERVER), (CLIENT_6, SERVER_6)], ids=["4", "6"])


def overflows(seen: Collected) -> int:
    return int(seen.coverage["datagram_overflows"].to_pylist()[0])


def answered(seen: Collected) -> int:
    return seen.dns["outcome"].to_pylist().count("answered")


@FAMILIES
def test_every_order_of_three(client: End, server: End) -> None:
    parts = fragments(server, client, response(1, text=3), 320)
    asked = udp(client, server, query(1))
    for order in [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0), (2, 1, 2, 0, 0, 1)]:
        seen = of([asked, *permuted(parts, order)])
        row = seen.dns.to_pylist()[0]
        assert (row["outcome"], row["response_bytes"]) == ("answered", len(response(1, text=3)))
        assert [len(answer["data"]) for answer in row["answers"]] == [3 * 255]
        assert seen.flows["dst_packets"].to_pylist() == [len(order)]
        assert packets(seen) == (1 + len(order),) * 2


@FAMILIES
def test_bytes_of_all_fragments_are_the_flows(client: End, server: End) -> None:
    parts = fragments(server, client, bytes(2_000), 480)
    header = 20 if client is CLIENT else 48
    for order in ((0, 1, 2, 3, 4), (4, 3, 2, 1, 0)):
        row = of(permuted(parts, order)).flows.to_pylist()[0]
        counted = row["src_bytes"] + row["dst_bytes"], row["src_packets"] + row["dst_packets"]
        assert counted == (2_008 + 5 * header, 5)


@FAMILIES
def test_without_its_first_a_datagram_is_in_no_flow(client: End, server: End) -> None:
    parts = fragments(server, client, bytes(2_000), 480)
    seen = of(parts[1:])
    assert (seen.flows.num_rows, discarded(seen), packets(seen)) == (0, {"orphan_fragment": 4}, (4, 4))


def test_fragments_are_told_apart_by_all_that_names_a_datagram() -> None:
    """RFC 791 §2.3: source, destination, protocol, identification."""
    first = fragments(SERVER, CLIENT, bytes(100), 48, 7)[0]
    body = datagram(SERVER, CLIENT, bytes(100))
    others = [
        fragment(SERVER[0], CLIENT[0], UDP, body, (48, 96), 8),
        fragment(SERVER[0], CLIENT[0], TCP, body, (48, 96), 7),
        fragment("10.0.0.3", CLIENT[0], UDP, body, (48, 96), 7),
        fragment(SERVER[0], "10.0.0.3", UDP, body, (48, 96), 7),
        fragment(CLIENT[0], SERVER[0], UDP, body, (48, 96), 7),
    ]
    seen = of([first, *others])
    assert discarded(seen) == {"orphan_fragment": len(others)}


def test_an_identification_used_again_after_a_minute_is_another_datagram() -> None:
    one, other = ("10.0.0.1", 4000), ("10.0.0.1", 5000)
    old, new = (fragments(src, SERVER, bytes(100), 48) for src in (one, other))
    for wait, orphans in ((59, 0), (61, 1)):
        seen = at([(0, old[0]), (wait, old[1])])
        assert discarded(seen) == ({"orphan_fragment": orphans} if orphans else {})
    seen = at([(0, old[0]), (1, old[1]), (100, new[0]), (101, new[1])])
    counted = {row["src_port"]: row["src_packets"] for row in seen.flows.to_pylist()}
    assert counted == {4000: 2, 5000: 2}


def test_a_message_without_one_of_its_fragments_is_not_read() -> None:
    parts = fragments(SERVER, CLIENT, response(1, text=3), 320)
    for missing in (1, 2):
        seen = of([udp(CLIENT, SERVER, query(1)), *parts[:missing], *parts[missing + 1 :]])
        assert seen.dns["outcome"].to_pylist() == ["unanswered"]


def test_what_came_first_stays_where_fragments_overlap() -> None:
    whole = datagram(SERVER, CLIENT, response(1, "real.example", text=2))
    other = whole.replace(b"real", b"fake")
    ends = (SERVER[0], CLIENT[0], UDP)
    frames = [fragment(*ends, whole, (0, 160), 7), fragment(*ends, other, (0, 320), 7)]
    seen = of([*frames, fragment(*ends, whole, (320, len(whole)), 7)])
    assert seen.dns["qname"].to_pylist() == ["real.example"]


def test_a_fragmented_query_is_read_too() -> None:
    asked = query(1, "a" * 60 + "." + "b" * 60 + ".example")
    seen = of(
        [
            *fragments(CLIENT, SERVER, asked, 64),
            udp(SERVER, CLIENT, response(1, "a" * 60 + "." + "b" * 60 + ".example")),
        ]
    )
    assert [(row["attempts"], row["outcome"], row["query_bytes"]) for row in seen.dns.to_pylist()] == [
        (1, "answered", len(asked))
    ]


def test_an_atomic_fragment_is_a_datagram() -> None:
    """RFC 6946: a fragment header with offset 0 and nothing to follow."""
    whole = datagram(CLIENT_6, SERVER_6, query(1))
    seen = of([fragment(CLIENT_6[0], SERVER_6[0], UDP, whole, (0, len(whole)), 9)])
    assert (seen.dns["qname"].to_pylist(), seen.flows["src_packets"].to_pylist()) == (["a.example"], [1])


def test_fragments_of_tcp_have_their_ports() -> None:
    whole = bytes.fromhex("9c40 1f90 000003e8 00001388 5018 0200 0000 0000") + bytes(100)
    parts = [fragment(CLIENT[0], SERVER[0], TCP, whole, part, 3) for part in ((48, 96), (0, 48), (96, 120))]
    row = of(parts).flows.to_pylist()[0]
    assert (row["src_port"], row["dst_port"], row["src_packets"], row["src_bytes"]) == (40000, 8080, 3, 180)


def test_more_datagrams_than_the_bound_cost_the_oldest() -> None:
    wires = [fragments(SERVER, CLIENT, response(number, text=3), 480, number) for number in range(MAX_DATAGRAMS + 36)]
    asked = [udp(CLIENT, SERVER, query(number)) for number in range(len(wires))]
    begun, rest = [parts[0] for parts in wires], [part for parts in wires[36:] for part in parts[1:]]
    seen = of([*asked, *begun, *rest])
    assert overflows(seen) == 36
    assert answered(seen) >= MAX_DATAGRAMS - 4  # a few lose their place among those whose ports are remembered
    assert packets(seen) == (len(asked) + len(begun) + len(rest),) * 2


def test_a_flood_of_first_fragments_ends_no_later_datagram() -> None:
    flood = [fragments(("10.9.9.9", 53), CLIENT, bytes(600), 480, number)[0] for number in range(20 * MAX_DATAGRAMS)]
    parts = fragments(SERVER, CLIENT, response(1, text=3), 320)
    seen = of([*flood, udp(CLIENT, SERVER, query(1)), *parts, *flood])
    assert answered(seen) == 1
    assert overflows(seen) > len(flood)


def test_fragments_on_other_ports_take_no_room_from_dns() -> None:
    flood = [fragments(("10.9.9.9", 9), ("10.0.0.1", 9), bytes(600), 480, number)[0] for number in range(200)]
    parts = fragments(SERVER, CLIENT, response(1, text=3), 320)
    seen = of([udp(CLIENT, SERVER, query(1)), parts[2], *flood, *parts[:2]])
    assert (answered(seen), overflows(seen)) == (1, 0)


def test_more_gaps_than_the_bound_give_the_message_up() -> None:
    for gaps, kept in ((MAX_PIECES, 1), (MAX_PIECES + 1, 0)):
        parts = fragments(SERVER, CLIENT, response(1, text=8), 32)
        apart, rest = parts[1 : 2 * gaps : 2], [parts[0], *parts[2 : 2 * gaps : 2], *parts[2 * gaps :]]
        seen = of([udp(CLIENT, SERVER, query(1)), *apart, *rest])
        assert (answered(seen), overflows(seen) > 0) == (kept, not kept)
        assert packets(seen) == (len(parts) + 1,) * 2


def test_more_fragmented_datagrams_than_are_remembered_lose_no_packet() -> None:
    """Those that lose their place before their first fragment comes are orphans; all are counted."""
    wires = []
    for number in range(3 * MAX_FRAGMENTED):
        ends = (f"10.1.{number // 250}.{number % 250}", 4000), ("10.0.0.2", 5000)
        wires.append(fragments(*ends, bytes(100), 56, number & 0xFFFF))
    frames = [parts[1] for parts in wires] + [parts[0] for parts in wires]
    seen = from_bytes(pcap(timed(frames, 1e-6)))
    assert packets(seen) == (len(frames), len(frames))
    assert 2 * MAX_FRAGMENTED <= discarded(seen)["orphan_fragment"] < 3 * MAX_FRAGMENTED


def test_a_fragment_beyond_the_largest_datagram() -> None:
    """The ping of death: an offset and a size that end behind 65,535."""
    whole = bytes(65_528) + bytes(1_000)
    seen = of(
        [
            fragment(SERVER[0], CLIENT[0], UDP, whole, (65_512, len(whole)), 7),
            *fragments(SERVER, CLIENT, response(1), 16),
        ]
    )
    assert packets(seen)[0] == packets(seen)[1]
    assert seen.flows.num_rows == 1
