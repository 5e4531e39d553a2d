"""DNS over TCP: what is put together, what is given up and counted, what is no DNS."""

import pytest

from collector.kernels.layout import BUFFER_BYTES, MAX_PIECES, MAX_STREAMS
from collector.kernels.state import Bounds
from tests.support.frames import Collected, at, from_bytes, of, packets, pcap, timed
from tests.support.messages import over_tcp, query, response
from tests.support.segments import Connection, permuted, segment

LONG = over_tcp(response(1, text=60))


def lost(seen: Collected) -> dict[str, int]:
    counts = ("dns_malformed", "stream_overflows")
    return {name: seen.coverage[name].to_pylist()[0] for name in counts if seen.coverage[name].to_pylist()[0]}


def outcomes(seen: Collected) -> list[tuple[int, str]]:
    return sorted((row["id"], row["outcome"]) for row in seen.dns.to_pylist())


def opened() -> tuple[Connection, list[bytes]]:
    talk = Connection()
    return talk, talk.open()


def test_a_message_cut_anywhere() -> None:
    """Into two segments that come in order or not, each cut on a connection of its own."""
    frames, size = [], len(over_tcp(query(1)))
    for cut in range(1, size):
        for port, step in ((1_000 + cut, 1), (2_000 + cut, -1)):
            talk = Connection(("10.0.0.1", port))
            opened = talk.open()
            asked = talk.pieces(over_tcp(query(1)), [cut])[::step]
            answer = talk.pieces(over_tcp(response(1)), [cut], back=True)[::step]
            frames += [*opened, *asked, *answer, *talk.close()]
    seen = of(frames)
    assert (outcomes(seen), lost(seen)) == ([(1, "answered")] * 2 * (size - 1), {})
    assert len(set(seen.dns["client_port"].to_pylist())) == seen.dns.num_rows


def test_the_time_of_a_message_is_that_of_the_segment_that_makes_it_whole() -> None:
    talk = Connection()
    opened = list(enumerate(talk.open()))
    asked = zip((3, 4, 5), talk.pieces(over_tcp(query(1)), [5, 5]), strict=True)
    answer = zip((6, 8), talk.pieces(over_tcp(response(1)), [5], back=True), strict=True)
    row = at([*opened, *asked, *answer]).dns.to_pylist()[0]
    assert row["latency_us"] == 3_000_000


def test_the_largest_message() -> None:
    """65,535 octets, in segments that come backwards as far as the bound on gaps allows."""
    largest = response(1, text=255)
    largest += bytes(65_535 - len(largest))
    talk = Connection()
    frames = [*talk.open(), talk.send("PA", over_tcp(query(1)))]
    answer = talk.pieces(over_tcp(largest), [4_096] * 16, back=True)
    seen = of([*frames, *answer[::-1], *talk.close()])
    row = seen.dns.to_pylist()[0]
    assert (row["outcome"], row["response_bytes"], lost(seen)) == ("answered", 65_535, {})


def test_sequence_numbers_wrap_around() -> None:
    frames = []
    for before in range(60):
        talk = Connection(("10.0.0.1", 2_000 + before), first=(0xFFFFFFFF - before,) * 2)
        opened = talk.open()
        asked = talk.pieces(over_tcp(query(1), query(2)), [20, 20])
        frames += [*opened, *permuted(asked, (2, 0, 1)), talk.back("PA", over_tcp(response(2), response(1)))]
    assert outcomes(of(frames)) == [(1, "answered")] * 60 + [(2, "answered")] * 60


def test_what_came_first_stays_where_segments_overlap() -> None:
    """An end that sends other octets for the same place tries to have the two ends and us read different messages."""
    talk = Connection()
    opened = talk.open()
    wire = over_tcp(query(1, "real.example"))
    start = talk.next[0]
    other = wire.replace(b"real", b"fake")
    frames = [segment(*talk.ends, "PA", start + 10, part[10:]) for part in (wire, other)]
    seen = of([*opened, *frames, segment(*talk.ends, "PA", start, other[:12])])
    assert seen.dns["qname"].to_pylist() == ["real.example"]


def test_a_query_sent_again_by_tcp_is_no_attempt() -> None:
    talk = Connection()
    opened, asked = talk.open(), talk.send("PA", over_tcp(query(1)))
    seen = of([*opened, asked, asked, asked, talk.back("PA", over_tcp(response(1)))])
    assert [(row["attempts"], row["outcome"]) for row in seen.dns.to_pylist()] == [(1, "answered")]
    assert seen.flows["src_retransmits"].to_pylist() == [2]


def test_the_same_question_asked_again_on_a_connection_is_an_attempt() -> None:
    talk, frames = opened()
    seen = of(
        [*frames, talk.send("PA", over_tcp(query(1), query(1))), talk.back("PA", over_tcp(response(1))), *talk.close()]
    )
    assert [(row["attempts"], row["outcome"]) for row in seen.dns.to_pylist()] == [(2, "answered")]


@pytest.mark.parametrize("wire", [bytes(40), b"\0\x0b" + bytes(40), over_tcp(b"\xff" * 40)])
def test_what_cannot_be_a_message_is_counted_once_a_direction(wire: bytes) -> None:
    talk, frames = opened()
    seen = of(
        [*frames, talk.send("PA", wire), talk.send("PA", wire), talk.back("PA", over_tcp(response(1))), *talk.close()]
    )
    assert outcomes(seen) == [(1, "unsolicited")]
    assert lost(seen) == {"dns_malformed": 1}


def test_messages_behind_a_malformed_one_are_read_where_a_segment_begins_with_one() -> None:
    talk, frames = opened()
    seen = of([*frames, talk.send("PA", bytes(40)), talk.send("PA", over_tcp(query(2))), *talk.close()])
    assert (outcomes(seen), lost(seen)) == ([(2, "unanswered")], {"dns_malformed": 1})


@pytest.mark.parametrize(
    "words", [b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"]
)
def test_other_protocols_on_the_port(words: bytes) -> None:
    talk, frames = opened()
    seen = of([*frames, talk.send("PA", words), talk.back("PA", words), *talk.close()])
    assert (seen.dns.num_rows, seen.flows["application"].to_pylist()) == (0, [None])
    assert packets(seen) == (8, 8)


def test_in_the_middle_of_a_stream_only_what_looks_like_a_message_is_one() -> None:
    for tail in (LONG[300:], LONG[1:], b"\0\x20" + b"\xff" * 50):
        talk = Connection()
        seen = of([talk.back("PA", tail), talk.send("PA", over_tcp(query(1))), talk.back("PA", over_tcp(response(1)))])
        assert (outcomes(seen), lost(seen)) == ([(1, "answered")], {})


def test_a_gap_is_waited_for_and_then_given_up() -> None:
    for pause, read in ((9, 0), (11, 1)):
        talk = Connection()
        first = [*talk.open(), *talk.pieces(over_tcp(query(1), query(2)), [20, 20])]
        del first[3]
        late = talk.send("PA", over_tcp(query(3)))
        seen = at([*((place / 1000, frame) for place, frame in enumerate(first)), (pause, late)])
        assert seen.dns.num_rows == read


def test_a_segment_that_fills_the_gap_late_is_still_taken() -> None:
    talk = Connection()
    opened = talk.open()
    asked = talk.pieces(over_tcp(query(1), query(2)), [20, 20])
    late = [(0.2, asked[1]), (0.3, asked[2]), (9.0, asked[0])]
    seen = at([*((place / 1000, frame) for place, frame in enumerate(opened)), *late])
    assert [row["id"] for row in seen.dns.to_pylist()] == [1, 2]


def test_more_gaps_than_the_bound_give_the_stream_up_and_count_it() -> None:
    for gaps, kept in ((MAX_PIECES, 1), (MAX_PIECES + 1, 0)):
        talk = Connection()
        opened = talk.open()
        parts = talk.pieces(LONG, [300] * 40, back=True)
        apart, rest = parts[1 : 2 * gaps : 2], [parts[0], *parts[2 : 2 * gaps : 2], *parts[2 * gaps :]]
        seen = of([*opened, *apart, *rest, *talk.close()])
        assert (seen.dns.num_rows, "stream_overflows" in lost(seen)) == (kept, not kept)
        assert packets(seen) == (len(parts) + 6, len(parts) + 6)


def test_a_stream_that_does_not_fit_is_given_up() -> None:
    talk = Connection()
    opened = talk.open()
    ahead = segment(*talk.ends, "PA", talk.next[0] + BUFFER_BYTES - 10, bytes(100))
    seen = of([*opened, ahead, talk.send("PA", over_tcp(query(1)))])
    assert lost(seen).get("stream_overflows") == 1
    assert packets(seen) == (5, 5)


def test_more_streams_than_the_bound_cost_the_oldest_and_later_ones_are_read() -> None:
    """Each of these holds a buffer with half a query; then come connections of people who mean it."""
    flood = []
    for number in range(MAX_STREAMS + 88):
        talk = Connection((f"10.1.{number // 250}.{number % 250}", 1234))
        flood += [talk.send("S"), talk.send("PA", over_tcp(query(1))[:20])]
    legit = []
    for number in range(50):
        talk = Connection((f"10.2.0.{number}", 4000))
        asked = talk.send("S"), *talk.pieces(over_tcp(query(number)), [9])
        legit += [*asked, talk.back("SA"), *talk.pieces(over_tcp(response(number, text=2)), [9, 200], back=True)]
    seen = from_bytes(pcap(timed([*flood, *legit], 1e-5)), Bounds(1 << 12, 1 << 10))
    assert outcomes(seen) == [(number, "answered") for number in range(50)]
    assert lost(seen) == {"stream_overflows": MAX_STREAMS + 88}  # those of the flood, and no other
    assert packets(seen) == (len(flood) + len(legit),) * 2


def test_a_flow_that_is_evicted_gives_its_buffer_back() -> None:
    """Ten times as many half queries as there are buffers, in a table of a few flows: each is counted once."""
    frames = []
    for number in range(10 * MAX_STREAMS):
        talk = Connection((f"10.{number // 62500}.{number // 250 % 250}.{number % 250}", 1234))
        frames += [talk.send("S"), talk.send("PA", over_tcp(query(1))[:20])]
    seen = from_bytes(pcap(timed(frames, 1e-5)), Bounds(32, 16))
    assert lost(seen) == {"stream_overflows": 10 * MAX_STREAMS}
    assert packets(seen) == (len(frames), len(frames))


def test_the_end_of_a_connection_frees_its_buffers() -> None:
    """Half a query and a reset, again and again: none waits for longer than its connection, each is counted once."""
    frames: list[bytes] = []
    for number in range(3 * MAX_STREAMS):
        talk = Connection((f"10.1.{number // 250}.{number % 250}", 1234))
        frames += [*talk.open(), talk.send("PA", over_tcp(query(1))[:20]), talk.back("R")]
    seen = from_bytes(pcap(timed(frames, 0.02)), Bounds(1 << 12, 16))
    assert lost(seen) == {"stream_overflows": 3 * MAX_STREAMS}


def test_queries_in_a_reset_are_none() -> None:
    talk = Connection()
    seen = of([*talk.open(), talk.send("R", over_tcp(query(1)))])
    assert seen.dns.num_rows == 0
