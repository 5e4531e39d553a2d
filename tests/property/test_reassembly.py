"""What comes in pieces, however it was cut, reordered and repeated: the same messages, and no packet lost."""

import random
import struct
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.frames import Collected, from_bytes, packets, pcap, timed
from tests.support.segments import CLIENT, SERVER, Connection, fragments, segment, udp

TXT, LARGEST = 16, 20_000
TOLD = ("id", "qname", "qtype", "outcome", "attempts", "query_bytes", "response_bytes")


class Asked(NamedTuple):
    number: int
    size: int  # octets of text in the answer

    @property
    def query(self) -> bytes:
        return struct.pack(">HHHHHH", self.number, 0x0100, 1, 0, 0, 0) + self.question

    @property
    def response(self) -> bytes:
        full, rest = divmod(self.size, 255)
        data = (b"\xff" + b"x" * 255) * full + (bytes([rest]) + b"x" * rest if rest else b"")
        head = struct.pack(">HHHHHH", self.number, 0x8180, 1, 1, 0, 0) + self.question
        return head + struct.pack(">HHHIH", 0xC00C, TXT, 1, 60, len(data)) + data

    @property
    def name(self) -> str:
        return f"n{self.number}.example"

    @property
    def question(self) -> bytes:
        labels = b"".join(bytes([len(label)]) + label for label in self.name.encode().split(b"."))
        return labels + struct.pack(">BHH", 0, TXT, 1)

    @property
    def told(self) -> tuple[object, ...]:
        """What the record of the transaction says, answers last."""
        sizes = len(self.query), len(self.response)
        return (self.number, self.name, "TXT", "answered", 1, *sizes, "x" * self.size)


def told(seen: Collected) -> list[tuple[object, ...]]:
    rows = seen.dns.to_pylist()
    return sorted((*(row[c] for c in TOLD), "".join(a["data"] for a in row["answers"] or [])) for row in rows)


def framed(messages: list[bytes]) -> bytes:
    return b"".join(struct.pack(">H", len(message)) + message for message in messages)


def in_segments(talk: Connection, back: bool, data: bytes, rng: random.Random) -> list[bytes]:
    """The stream in segments of any size, some overlapping the one before, some twice, a few places out of order."""
    (src, dst), seq, ack = talk.ends[:: -1 if back else 1], talk.next[back], talk.next[not back]
    largest = rng.choice((40, 300, 1448))
    frames, at = [], 0
    while at < len(data):
        end = min(at + rng.randint(1, largest) + len(data) // 400, len(data))
        start = max(at - rng.choice((0, 0, 0, rng.randint(0, 50))), 0)
        frames += [segment(src, dst, "PA", seq + start, data[start:end], ack=ack)] * rng.choice((1, 1, 1, 2))
        at = end
    talk.next[back] += len(data)
    reach = rng.choice((0, 2, 6))
    order = sorted(range(len(frames)), key=lambda place: place + rng.uniform(0, reach))
    return [frames[place] for place in order]


ASKED = st.lists(st.integers(0, LARGEST), min_size=1, max_size=5).map(
    lambda sizes: [Asked(number, size) for number, size in enumerate(sizes, 1)]
)


@settings(max_examples=80)
@given(ASKED, st.randoms(use_true_random=False), st.integers(0, (1 << 32) - 1), st.integers(0, (1 << 32) - 1))
def test_dns_over_tcp_however_its_segments_come(asked: list[Asked], rng: random.Random, mine: int, theirs: int) -> None:
    talk = Connection(first=(mine, theirs))
    frames = talk.open()
    frames += in_segments(talk, False, framed([message.query for message in asked]), rng)
    answers = [message.response for message in rng.sample(asked, len(asked))]
    frames += in_segments(talk, True, framed(answers), rng)
    seen = from_bytes(pcap(timed([*frames, *talk.close()], 1e-4)))
    assert told(seen) == [message.told for message in asked]
    assert (seen.flows.num_rows, seen.flows["application"].to_pylist()) == (1, ["dns"])
    lost = [seen.coverage[name].to_pylist() for name in ("dns_malformed", "stream_overflows")]
    assert (lost, *packets(seen)) == ([[0], [0]], len(frames) + 3, len(frames) + 3)


@settings(max_examples=80)
@given(ASKED, st.integers(1, 180), st.booleans(), st.randoms(use_true_random=False))
def test_datagrams_whose_fragments_come_in_any_order(
    asked: list[Asked], step: int, six: bool, rng: random.Random
) -> None:
    """Fragments of several datagrams, mixed, some twice; their sizes leave no more gaps than the bound allows."""
    client, server = (("fd00::1", 4000), ("fd00::53", 53)) if six else (CLIENT, SERVER)
    pieces: list[bytes] = []
    for message in asked:
        size = max(step * 8, -(-(len(message.response) + 8) // 16 // 8) * 8)
        pieces += fragments(server, client, message.response, size, message.number)
    pieces += rng.sample(pieces, rng.randint(0, len(pieces) // 2))
    rng.shuffle(pieces)
    frames = [*(udp(client, server, message.query) for message in asked), *pieces]
    seen = from_bytes(pcap(timed(frames)))
    assert told(seen) == [message.told for message in asked]
    assert (seen.flows.num_rows, packets(seen)) == (1, (len(frames), len(frames)))
    assert seen.coverage["datagram_overflows"].to_pylist() == [0]


@settings(max_examples=80)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 12), st.booleans()), max_size=60))
def test_any_fragments_are_in_a_flow_or_in_a_discard(parts: list[tuple[int, int, bool]]) -> None:
    """Of six datagrams any part any number of times, some of which are the last that follows."""
    data = bytes(200)
    wholes = [fragments(("10.0.0.1", 4000 + number), ("10.0.0.2", 53), data, 16, number) for number in range(6)]
    frames = [wholes[number][-1 if last else part] for number, part, last in parts]
    given_, counted = packets(from_bytes(pcap(timed(frames)))) if frames else (0, 0)
    assert given_ == counted == len(frames)
