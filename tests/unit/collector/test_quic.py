"""The handshake in QUIC Initial packets: the samples of the RFCs, and packets protected by code of the tests' own."""

from itertools import permutations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from collector import quic
from collector.quic import Cursor, Keys, client_keys, crypto_stream
from tests.support.quic import DCID, SMALLEST, V1, V2, ack, crypto, initial, initial_datagrams, keys, retry, zero_rtt
from tests.support.quic_samples import HELLO, INITIAL_V1, INITIAL_V2

LONG = bytes(step * 7 % 251 for step in range(1900))  # as long as a hello with a post-quantum key share
OTHER = bytes(reversed(LONG))
CLOSE = b"\x1c" + bytes(4)
PING = b"\x01"


def filled(frames: bytes) -> bytes:
    return frames.ljust(SMALLEST, b"\0")


@pytest.mark.parametrize(
    ("version", "key", "iv", "mask"),
    [
        (V1, "1f369613dd76d5467730efcbe3b1a22d", "fa044b2f42a3fd3b46fb255c", "9f50449e04a0e810283a1e9933adedd2"),
        (V2, "8b1a0bc121284290a29e0971b5cd045d", "91f73e2351d8fa91660e909f", "45b95e15235d6f45a6b19cbcb0294ba9"),
    ],
    ids=["RFC 9001 A.1", "RFC 9369 A.1"],
)
def test_keys_of_the_rfcs(version: int, key: str, iv: str, mask: str) -> None:
    assert client_keys(version, DCID) == Keys(bytes.fromhex(key), bytes.fromhex(iv), bytes.fromhex(mask))
    assert keys(version, DCID) == client_keys(version, DCID)


@pytest.mark.parametrize(("version", "sample"), [(V1, INITIAL_V1), (V2, INITIAL_V2)], ids=["RFC 9001", "RFC 9369"])
def test_packets_of_the_rfcs(version: int, sample: bytes) -> None:
    assert crypto_stream([sample]) == HELLO
    assert b"example.com" in HELLO
    assert initial(crypto(0, HELLO).ljust(1162, b"\0"), version, number=2, number_size=4) == sample


@pytest.mark.parametrize("version", [V1, V2])
def test_hello_in_several_datagrams_in_any_order(version: int) -> None:
    for split in ([1000], [1, 1899], [700, 1300]):
        flight = initial_datagrams(LONG, version, split=split)
        assert min(map(len, flight)) == SMALLEST
        for order in permutations(flight):
            assert crypto_stream(order) == LONG


def test_stream_ends_at_the_first_gap() -> None:
    first, second, third = initial_datagrams(LONG, split=[700, 1300])
    assert crypto_stream([first]) == crypto_stream([third, first]) == LONG[:700]
    assert crypto_stream([second, third]) == b""
    assert crypto_stream([]) == b""


@given(
    st.lists(st.tuples(st.integers(0, len(HELLO)), st.integers(0, len(HELLO))), max_size=10),
    st.lists(
        st.sampled_from([b"\0", PING, b"\0\0\1\0", ack(), ack(3), ack(2, ecn=True), b"\x40\x01"]),
        min_size=10,
        max_size=10,
    ),
)
@example([(120, 241), (60, 130), (0, 60)], [PING] * 10)
def test_frames_in_any_order_with_others_between(cuts: list[tuple[int, int]], between: list[bytes]) -> None:
    frames = [crypto(min(cut), HELLO[min(cut) : max(cut)]) for cut in cuts]
    packet = initial(filled(b"".join(frame + other for frame, other in zip(frames, between, strict=False))))
    known = b""
    for start, end in sorted(map(sorted, cuts)):
        if start <= len(known) < end:
            known = HELLO[:end]
    assert crypto_stream([packet]) == known


@pytest.mark.parametrize("frame", [ack(), ack(3), ack(ecn=True), ack(3, ecn=True)])
def test_acknowledgements_are_passed_over(frame: bytes) -> None:
    assert crypto_stream([initial(filled(crypto(0, b"abcd") + frame + crypto(4, b"efgh")))]) == b"abcdefgh"


@pytest.mark.parametrize(
    ("wire", "value"),
    [("c2197c5eff14e88c", 151288809941952652), ("9d7f3e7d", 494878333), ("7bbd", 15293), ("25", 37), ("4025", 37)],
)
def test_numbers_of_rfc_9000(wire: str, value: int) -> None:
    assert Cursor(bytes.fromhex(wire)).number() == value


def test_numbers_longer_than_they_must_be() -> None:
    frame = bytes.fromhex("4006 c000000000000000 80000004") + b"abcd"
    assert crypto_stream([initial(filled(frame))]) == b"abcd"


def test_pieces_that_overlap_with_other_bytes() -> None:
    late = initial(filled(crypto(2, b"XXXX")))
    assert crypto_stream([late, initial(filled(crypto(0, b"abcd")))]) == b"abcdXX"


@pytest.mark.parametrize("frame", [CLOSE, b"\x08stream", b"\x1e"], ids=["close", "stream", "done"])
def test_a_frame_that_ends_the_handshake_ends_the_reading(frame: bytes) -> None:
    assert crypto_stream([initial(filled(crypto(0, b"abcd") + frame + crypto(4, b"efgh")))]) == b"abcd"


def test_frames_that_are_cut() -> None:
    for whole in (crypto(4, b"efgh"), ack(3), ack(2, ecn=True)):
        for size in range(1, len(whole)):
            assert crypto_stream([initial(crypto(0, b"abcd") + whole[:size])]) == b"abcd"


@pytest.mark.parametrize("size", [0, 1, 8, 20])
def test_sizes_of_connection_ids_tokens_and_packet_numbers(size: int) -> None:
    for number_size in (1, 2, 3, 4):
        packet = initial(
            crypto(0, HELLO),
            dcid=bytes(size),
            scid=bytes(size),
            token=bytes(size * 20),
            number=3,
            number_size=number_size,
        )
        assert crypto_stream([packet]) == HELLO


@pytest.mark.parametrize("ids", [{"dcid": bytes(21)}, {"scid": bytes(21)}], ids=["dcid", "scid"])
def test_connection_ids_that_are_too_long(ids: dict[str, bytes]) -> None:
    assert crypto_stream([initial(crypto(0, HELLO), **ids)]) == b""  # type: ignore[arg-type]


def test_later_packets_bear_the_id_of_the_server() -> None:
    first, _ = initial_datagrams(LONG, split=[1000])
    second = initial(filled(ack() + crypto(1000, LONG[1000:])), dcid=b"server", key_dcid=DCID, number=1)
    assert crypto_stream([first, second]) == crypto_stream([second, first]) == LONG
    assert crypto_stream([second]) == b""


def test_later_packets_may_be_of_version_2() -> None:
    first, _ = initial_datagrams(LONG, V1, split=[1000])
    second = initial(filled(crypto(1000, LONG[1000:])), V2, b"server", key_dcid=DCID, number=1)
    assert crypto_stream([first, second]) == crypto_stream([second, first]) == LONG


@pytest.mark.parametrize("version", [V1, V2])
def test_after_a_retry_the_keys_are_new(version: int) -> None:
    before = initial_datagrams(LONG, version, split=[1000])
    after = initial_datagrams(LONG, version, b"retried!", split=[900], token=b"token")
    for order in permutations([before[0], *after]):
        assert crypto_stream(order) == LONG
    later = initial(filled(ack()), version, b"server", key_dcid=b"retried!", number=2)
    assert crypto_stream([later, before[0], *after]) == LONG


def test_two_handshakes_never_make_one() -> None:
    one, _ = initial_datagrams(LONG, split=[1000])
    _, other = initial_datagrams(OTHER, dcid=b"another!", split=[1000])
    assert crypto_stream([one, other]) == crypto_stream([other, one]) == LONG[:1000]
    short, long = initial(crypto(0, b"zz")), initial(crypto(0, b"aaa"), dcid=b"another!")
    assert crypto_stream([short, long]) == crypto_stream([long, short]) == b"aaa"


@pytest.mark.parametrize("version", [V1, V2])
def test_packets_that_share_a_datagram(version: int) -> None:
    one, other = initial(crypto(0, b"abcd"), version), initial(crypto(4, b"efgh"), version, number=1)
    early = zero_rtt(version)
    for parts in permutations([one, other, early, early]):
        assert crypto_stream([b"".join(parts)]) == b"abcdefgh"
    assert crypto_stream([early]) == b""


ENDS = {
    "zeros": bytes(40),
    "header form": bytes([zero_rtt()[0] ^ 0x80]) + zero_rtt()[1:],
    "fixed bit": bytes([zero_rtt()[0] ^ 0x40]) + zero_rtt()[1:],
    "version negotiation": zero_rtt().replace(b"\0\0\0\1", bytes(4), 1),
    "unknown version": zero_rtt().replace(b"\0\0\0\1", b"\xff\0\0\x1d", 1),
    "other connection": zero_rtt(dcid=b"another!"),
    "retry": retry(V1),
    "retry, version 2": retry(V2),
}


@pytest.mark.parametrize("middle", ENDS.values(), ids=ENDS)
def test_what_ends_the_reading_of_a_datagram(middle: bytes) -> None:
    assert crypto_stream([initial(crypto(0, b"abcd")) + middle + initial(crypto(4, b"efgh"))]) == b"abcd"


def test_packets_cut_anywhere() -> None:
    for size in range(len(INITIAL_V1)):
        assert crypto_stream([INITIAL_V1[:size]]) == b""
    first, second = initial(crypto(0, b"abcd")), initial(crypto(4, b"efgh"))
    for size in range(len(second)):
        assert crypto_stream([first + second[:size]]) == b"abcd"


def test_packets_too_short_to_be_sampled() -> None:
    head = INITIAL_V1[:16]
    for size in range(21):
        assert crypto_stream([head + bytes([size]) + bytes(size)]) == b""


@given(st.integers(0, len(INITIAL_V1) - 1), st.integers(1, 255))
def test_packets_with_one_byte_changed(place: int, change: int) -> None:
    changed = bytearray(INITIAL_V1)
    changed[place] ^= change
    assert crypto_stream([bytes(changed)]) == b""
    assert crypto_stream([bytes(changed), INITIAL_V1]) == HELLO


@given(st.lists(st.binary(max_size=1500) | st.binary(max_size=60).map(lambda tail: INITIAL_V1[:16] + tail), max_size=6))
def test_any_bytes(datagrams: list[bytes]) -> None:
    assert crypto_stream(datagrams) == b""


@given(st.lists(st.binary(min_size=4, max_size=300), max_size=6), st.sampled_from([V1, V2]), st.binary(max_size=20))
def test_any_bytes_under_the_right_keys(payloads: list[bytes], version: int, dcid: bytes) -> None:
    packets = [initial(b"\x06\0" + payload, version, dcid, number=number) for number, payload in enumerate(payloads)]
    assert len(crypto_stream(packets)) <= sum(map(len, payloads[: quic.MAX_DATAGRAMS]))


def test_bounds() -> None:
    flight = initial_datagrams(LONG, split=[400, 800, 1200, 1600])
    assert crypto_stream(flight) == LONG[: 400 * quic.MAX_DATAGRAMS]

    parts = [initial(crypto(place, b"x"), number=place) for place in range(quic.MAX_PACKETS + 1)]
    assert crypto_stream([b"".join(parts)]) == b"x" * quic.MAX_PACKETS

    frames = b"".join(crypto(place, b"x") for place in range(60)) + ack(20) + crypto(60, b"x")
    assert crypto_stream([initial(frames)]) == b"x" * 61
    assert crypto_stream([initial(crypto(0, b"x") + ack(quic.MAX_NUMBERS // 2) + crypto(1, b"x"))]) == b"x"
    assert crypto_stream([initial(b"".join(crypto(place, b"x") for place in range(100)))]) == b"x" * 85

    whole = [initial(crypto(place, bytes(8000))) for place in (0, 8000, 16000)]
    assert crypto_stream(whole) == bytes(quic.MAX_CRYPTO_BYTES)
    longest = quic.MAX_DATAGRAM_BYTES - len(whole[0]) + 8000
    assert crypto_stream([initial(crypto(0, bytes(longest)))]) == bytes(longest)
    assert crypto_stream([initial(crypto(0, bytes(longest + 1)))]) == b""
