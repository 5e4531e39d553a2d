"""What holds for any capture: nothing raised, nothing lost, no trace of how it was cut; and the naive twin agrees."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scapy.layers.dns import DNS, DNSQR, DNSRR, DNSRRSOA
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import IPv6

from collector.kernels import layout, state
from collector.kernels.state import Bounds
from collector.sources import capture as source
from tests.naive import collector as naive
from tests.support.frames import SECOND, Collected, Timed, ether, from_bytes, packets, pcap, pcapng, rows, timed
from tests.support.shapes import shapes

SHAPES = shapes()
BOUNDS = Bounds(1 << 10, 1 << 8, 60 * SECOND, 300 * SECOND, 5 * SECOND, 10 * SECOND)
LINKS = st.sampled_from([0, 1, 12, 14, 101, 108, 113, 228, 229, 276, 147])


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A frame of some shape with octets changed, cut off or put in."""
    frame = bytearray(draw(st.sampled_from(SHAPES)))
    for _ in range(draw(st.integers(0, 6))):
        frame[draw(st.integers(0, len(frame) - 1))] = draw(st.integers(0, 255))
    cut = draw(st.one_of(st.just(len(frame)), st.integers(0, len(frame))))
    return bytes(frame[:cut]) + draw(st.binary(max_size=8))


HOSTILE = st.lists(st.tuples(st.integers(0, 900), st.one_of(mutated(), st.binary(max_size=120))), max_size=60)


@settings(max_examples=250)
@given(HOSTILE, LINKS)
def test_any_bytes_in_valid_framing_lose_no_packet(frames: list[Timed], link: int) -> None:
    given_, counted = packets(from_bytes(pcap(frames, link), BOUNDS))
    assert given_ == counted == len(frames)


@settings(max_examples=150)
@given(HOSTILE)
def test_a_table_of_a_few_records_loses_no_packet(frames: list[Timed]) -> None:
    seen = from_bytes(pcap(frames), Bounds(2, 2, 60 * SECOND, 300 * SECOND, 5 * SECOND, 10 * SECOND))
    assert packets(seen) == (len(frames), len(frames))


@settings(max_examples=150)
@given(
    st.binary(max_size=400), st.sampled_from([pcap([(0, SHAPES[0])]), pcapng([(0, SHAPES[0])])]), st.integers(4, 200)
)
def test_any_bytes_behind_a_magic_number_raise_nothing(noise: bytes, head: bytes, keep: int) -> None:
    given_, counted = packets(from_bytes(head[:keep] + noise))
    assert given_ == counted


@settings(max_examples=100)
@given(st.lists(st.tuples(st.integers(4, 3000), st.integers(0, 255)), max_size=8))
def test_a_capture_with_octets_changed_raises_nothing(changes: list[tuple[int, int]]) -> None:
    for data in (pcap(timed(SHAPES)), pcapng(timed(SHAPES))):
        broken = bytearray(data)
        for place, octet in changes:
            broken[place % (len(broken) - 4) + 4] = octet
        given_, counted = packets(from_bytes(bytes(broken)))
        assert given_ == counted


@contextmanager
def cut(block: int, frames: int, batch: int) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source, "BLOCK", block)
        patch.setattr(source, "FRAMES", frames)
        patch.setattr(state, "BATCH", batch)
        yield


@settings(max_examples=150)
@given(HOSTILE, st.sampled_from([400, 1000, 5000]), st.integers(1, 40))
def test_records_do_not_depend_on_how_frames_are_cut_into_blocks(frames: list[Timed], block: int, count: int) -> None:
    data = pcap(frames)
    whole = from_bytes(data, BOUNDS)
    with cut(block, count, layout.BATCH):
        pieces = from_bytes(data, BOUNDS)
    assert rows(pieces.flows) == rows(whole.flows)
    assert rows(pieces.dns) == rows(whole.dns)
    assert pieces.coverage.equals(whole.coverage)


@settings(max_examples=100)
@given(HOSTILE, st.integers(144, 160))
def test_flow_records_do_not_depend_on_the_size_of_a_row_batch(frames: list[Timed], size: int) -> None:
    data = pcap(frames)
    whole = from_bytes(data, BOUNDS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(state, "FLOW_ROWS", size)
        pieces = from_bytes(data, BOUNDS)
    assert rows(pieces.flows) == rows(whole.flows)


@settings(max_examples=50)
@given(st.lists(st.sampled_from([frame for frame in SHAPES if b"\x00\x35" in frame[34:38]]), unique=True, max_size=20))
def test_dns_records_do_not_depend_on_the_size_of_a_row_batch(frames: list[bytes]) -> None:
    whole = from_bytes(pcap(timed(frames)), BOUNDS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(state, "DNS_ROWS", 7)
        patch.setattr(state, "TEXT_BYTES", layout.MESSAGE_TEXT + 1)
        pieces = from_bytes(pcap(timed(frames)), BOUNDS)
    assert rows(pieces.dns) == rows(whole.dns)


@given(st.integers(0, (1 << 64) - 1))
def test_records_do_not_depend_on_the_seed(seed: int) -> None:
    data = pcap(timed(SHAPES))
    assert rows(from_bytes(data, seed=seed).flows) == rows(from_bytes(data, seed=1).flows)
    assert rows(from_bytes(data, seed=seed).dns) == rows(from_bytes(data, seed=1).dns)


ADDRESSES = st.sampled_from([("10.0.0.1", "10.0.0.2"), ("10.0.0.2", "10.0.0.1"), ("10.0.0.9", "10.0.0.9")])
ADDRESSES_6 = st.sampled_from([("fd00::1", "fd00::2"), ("fd00::2", "fd00::1"), ("::1:0:1", "2001:db8::")])
PORTS = st.sampled_from([1, 53000, 65535])


@st.composite
def plain(draw: st.DrawFn) -> bytes:
    six = draw(st.booleans())
    src, dst = draw(ADDRESSES_6 if six else ADDRESSES)
    head = IPv6(src=src, dst=dst) if six else IP(src=src, dst=dst)
    kind = draw(st.sampled_from([TCP, UDP, ICMP]))
    body = ICMP() if kind is ICMP and not six else (UDP if kind is ICMP else kind)(sport=draw(PORTS), dport=draw(PORTS))
    return bytes(ether() / head / body / bytes(draw(st.integers(0, 90))))


def summed(seen: Collected) -> dict[naive.Ends, naive.Counts]:
    total: dict[naive.Ends, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for row in seen.flows.to_pylist():
        ends, forward = naive.in_order(row["src_ip"], row["src_port"], row["dst_ip"], row["dst_port"], row["protocol"])
        src, dst = [row["src_packets"], row["src_bytes"]], [row["dst_packets"], row["dst_bytes"]]
        for place, number in enumerate(src + dst if forward else dst + src):
            total[ends][place] += number
    return {ends: (c[0], c[1], c[2], c[3]) for ends, c in total.items()}


@settings(max_examples=100)
@given(st.lists(plain(), max_size=40), st.floats(0.001, 400))
def test_packets_and_bytes_as_the_naive_twin_counts_them(frames: list[bytes], step: float) -> None:
    assert summed(from_bytes(pcap(timed(frames, step)), BOUNDS)) == naive.flows(frames)


@st.composite
def message(draw: st.DrawFn) -> bytes:
    client, port = draw(st.sampled_from([("10.0.0.1", 4000), ("10.0.0.1", 4001), ("10.0.0.3", 4000)]))
    name = draw(st.sampled_from(["a.example", "A.example", "b.example"]))
    number = draw(st.integers(1, 2))
    question = DNSQR(qname=name, qtype=draw(st.sampled_from(["A", "AAAA"])))
    if draw(st.booleans()):
        body = DNS(id=number, rd=1, qd=question)
        return bytes(ether() / IP(src=client, dst="10.0.0.53") / UDP(sport=port, dport=53) / body)
    answers = [DNSRR(rrname=name, rdata="192.0.2.1")] * draw(st.integers(0, 2))
    answers += [DNSRR(rrname=name, type="CNAME", rdata="c.example")] * draw(st.integers(0, 1))
    zone, seconds = DNSRR(rrname="example", type="NS", rdata="ns.example"), st.sampled_from([0, 1, 30, 3600, 1 << 31])
    authority = draw(st.sampled_from([[], [zone], [zone, soa(draw(seconds), draw(seconds))]]))
    said = {"rcode": draw(st.sampled_from([0, 2, 3])), "tc": draw(st.integers(0, 1))}
    body = DNS(id=number, qr=1, qd=question, an=answers, ns=authority, **said)
    return bytes(ether() / IP(src="10.0.0.53", dst=client) / UDP(sport=53, dport=port) / body)


def soa(ttl: int, minimum: int) -> DNSRRSOA:
    return DNSRRSOA(rrname="example", mname="ns.example", rname="a.example", ttl=ttl, minimum=minimum)


@settings(max_examples=150)
@example([])
@given(st.lists(message(), max_size=40))
def test_transactions_as_the_naive_twin_pairs_them(frames: list[bytes]) -> None:
    columns = ("client_ip", "client_port", "server_ip", "id", "qname", "qtype", "attempts", "answers", "negative_ttl")
    numbers = {"A": 1, "AAAA": 28}
    told = [
        tuple(
            len(row[c])
            if c == "answers" and row[c] is not None
            else numbers.get(row[c], row[c])
            if c == "qtype"
            else row[c]
            for c in columns
        )
        for row in from_bytes(pcap(timed(frames)), BOUNDS).dns.to_pylist()
        if row["outcome"] != "unsolicited"
    ]
    assert sorted(told, key=repr) == naive.transactions(frames)
