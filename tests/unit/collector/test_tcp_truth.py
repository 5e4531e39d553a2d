"""TCP connections with true sequence numbers: states, who opened them, handshakes, ports used again, floods."""

import random
from collections.abc import Callable, Sequence

import pytest

from collector.kernels.layout import OPENED_BY
from collector.kernels.state import Bounds
from collector.records import STATES
from tests.support.frames import SECOND, Collected, Timed, at, discarded, from_bytes, of, packets, pcap
from tests.support.segments import Connection, End, segment, udp

CLIENT, SERVER = ("10.0.0.1", 40000), ("10.0.0.2", 8080)
BOUNDS = Bounds(1 << 10, 1 << 10, idle_us=60 * SECOND, active_us=300 * SECOND, linger_us=5 * SECOND)
DATA = b"x" * 100
Script = Callable[[Connection], Sequence[bytes]]


def talk(server: End = SERVER, client: End = CLIENT) -> Connection:
    return Connection(client, server)


def opened() -> tuple[Connection, list[Timed]]:
    conversation = talk()
    return conversation, [(place / 100, frame) for place, frame in enumerate(conversation.open())]


STORIES: dict[str, Script] = {
    "S0": lambda c: [c.send("S")],
    "S1": lambda c: [*c.open(), c.send("PA", DATA), c.back("PA", DATA)],
    "SF": lambda c: [*c.open(), c.send("PA", DATA), c.back("FPA", DATA), c.send("A"), c.send("FA"), c.back("A")],
    "REJ": lambda c: [c.send("S"), c.back("RA")],
    "S2": lambda c: [*c.open(), c.send("FPA", DATA), c.back("A"), c.back("PA", DATA)],
    "S3": lambda c: [*c.open(), c.back("FPA", DATA), c.send("A"), c.send("PA", DATA)],
    "RSTO": lambda c: [*c.open(), c.send("PA", DATA), c.back("PA", DATA), c.send("R")],
    "RSTR": lambda c: [*c.open(), c.send("PA", DATA), c.back("A"), c.back("RA")],
    "RSTOS0": lambda c: [c.send("S"), c.send("R")],
    "RSTRH": lambda c: [c.back("SA"), c.back("R")],
    "SH": lambda c: [c.send("S"), c.send("FA")],
    "SHR": lambda c: [c.back("SA"), c.back("FA")],
    "OTH": lambda c: [c.send("PA", DATA), c.back("PA", DATA), c.send("A")],
}


@pytest.mark.parametrize("state", STATES)
def test_every_state_with_a_connection_that_has_it(state: str) -> None:
    seen = of(STORIES[state](talk()))
    rows = seen.flows.to_pylist()
    assert [row["connection_state"] for row in rows] == [state]
    assert (rows[0]["src_ip"], rows[0]["dst_port"]) == ("10.0.0.1", 8080)


OPENERS: dict[str, Script] = {
    "syn": lambda c: c.open(),
    "syn_ack": lambda c: c.open()[1:],
    "listener": lambda c: [*talk(client=("10.0.0.9", 40000)).open(), c.back("PA", DATA)],
    "port": lambda c: [Connection(CLIENT, ("10.0.0.2", 443)).back("PA", DATA)],
    "first_packet": lambda c: [Connection(("10.0.0.1", 9001), ("10.0.0.2", 9000)).send("PA", DATA)],
}


@pytest.mark.parametrize("how", OPENED_BY)
def test_every_way_to_know_the_opener(how: str) -> None:
    rows = {row["src_ip"]: row for row in of(OPENERS[how](talk())).flows.to_pylist()}
    row = rows["10.0.0.1"]
    assert (row["opened_by"], row["dst_ip"]) == (how, "10.0.0.2")
    assert row["started"] == (how in ("syn", "syn_ack"))


def test_a_listener_is_an_address_and_a_port() -> None:
    """Neither another port of the server nor the port on another server is known to listen."""
    known = talk(client=("10.0.0.9", 40000)).open()
    others = [Connection(CLIENT, ("10.0.0.2", 9000)), Connection(CLIENT, ("10.0.0.3", 8080))]
    rows = of([*known, *(other.back("PA", DATA) for other in others)]).flows.to_pylist()
    assert [row["opened_by"] for row in rows if row["src_ip"] == "10.0.0.1"] == ["port", "port"]


def test_the_ends_of_a_connection_stay_when_its_records_are_many() -> None:
    conversation, frames = opened()
    for when in range(100, 1_000, 100):
        frames += [(when, conversation.back("PA", DATA)), (when + 1, conversation.send("PA", DATA))]
    rows = at(frames, Bounds(16, 16, idle_us=200 * SECOND, active_us=300 * SECOND)).flows.to_pylist()
    assert len(rows) > 2
    assert {(row["src_ip"], row["opened_by"]) for row in rows} == {("10.0.0.1", "syn")}
    assert [row["started"] for row in rows] == [True] + [False] * (len(rows) - 1)
    assert sum(row["src_packets"] + row["dst_packets"] for row in rows) == len(frames)


def handshake(seen: Collected) -> tuple[object, object]:
    row = seen.flows.to_pylist()[0]
    return row["server_handshake_us"], row["client_handshake_us"]


@pytest.mark.parametrize(
    ("script", "times"),
    [
        ([(0, "S"), (0.03, "<SA"), (0.05, "A")], (30_000, 20_000)),
        ([(0, "S"), (1, "S"), (1.03, "<SA"), (1.05, "A")], (1_030_000, 20_000)),
        ([(0, "S"), (0.03, "<SA"), (0.03, "<SA"), (0.05, "A"), (9, "A")], (30_000, 20_000)),
        ([(0, "S"), (0.03, "<SA"), (0.05, "PA"), (0.06, "A")], (30_000, 20_000)),
        ([(0, "S"), (0.03, "<SA")], (30_000, None)),
        ([(0, "S"), (0.03, "<RA")], (None, None)),
        ([(0, "S"), (0.03, "<SA"), (0.05, "R")], (30_000, None)),
        ([(0, "<SA"), (0.02, "A")], (None, 20_000)),
        ([(0, "S"), (0.02, "A")], (None, None)),
        ([(0, "A"), (0.02, "<A")], (None, None)),
    ],
)
def test_handshake_times(script: list[tuple[float, str]], times: tuple[object, object]) -> None:
    """From the first SYN, for that is what the user waited; a resent SYN-ACK does not count again."""
    numbers = {"S": (1_000, 0), "SA": (5_000, 1_001)}
    frames: list[Timed] = []
    for when, word in script:
        back, flags = word[0] == "<", word.lstrip("<")
        ends = (SERVER, CLIENT) if back else (CLIENT, SERVER)
        seq, ack = numbers.get(flags, (5_001, 1_001) if back else (1_001, 5_001))
        frames.append((when, segment(*ends, flags, seq, ack=ack)))
    assert handshake(at(frames)) == times


def test_data_of_a_fast_open_is_part_of_the_handshake() -> None:
    conversation = talk()
    frames = [(0, conversation.send("S", DATA)), (0.01, conversation.back("SA")), (0.02, conversation.send("A"))]
    seen = at([*frames, (0.03, conversation.send("PA", DATA))])
    assert (handshake(seen), seen.flows["src_retransmits"].to_pylist()) == ((10_000, 10_000), [0])


def again(pause: float, end: str) -> list[dict[str, object]]:
    """The same ports after a pause; ``end``: how the first connection did."""
    first, second = talk(), Connection(CLIENT, SERVER, first=(700_000, 900_000))
    frames: list[Timed] = [(place / 100, frame) for place, frame in enumerate([*first.open(), first.send("PA", DATA)])]
    closing = {"fin": first.close, "reset": lambda: [first.back("R")], "nothing": list}[end]()
    frames += [(0.1 + place / 100, frame) for place, frame in enumerate(closing)]
    later = [*second.open(), second.send("PA", DATA), *second.close()]
    return at(
        [*frames, *((0.5 + pause + place / 100, frame) for place, frame in enumerate(later))], BOUNDS
    ).flows.to_pylist()


@pytest.mark.parametrize(
    ("pause", "end", "states"),
    [
        (0, "fin", ["SF", "SF"]),
        (0, "reset", ["RSTR", "SF"]),
        (6, "nothing", ["S1", "SF"]),  # silent for longer than what is late may be on its way
        (100, "nothing", ["S1", "SF"]),
        (100, "fin", ["SF", "SF"]),
    ],
)
def test_a_port_used_again_is_another_connection(pause: float, end: str, states: list[str]) -> None:
    rows = sorted(again(pause, end), key=lambda row: str(row["start_time"]))
    assert [row["connection_state"] for row in rows] == states
    assert [row["started"] for row in rows] == [True, True]
    assert [row["server_handshake_us"] for row in rows] == [10_000, 10_000]
    assert (rows[1]["src_retransmits"], rows[1]["src_packets"], rows[1]["dst_packets"]) == (0, 5, 2)


def test_a_syn_sent_again_is_the_same_connection() -> None:
    conversation = talk()
    syn, answer, done = conversation.open()
    for pause in (1, 7, 30):
        rows = at([(0, syn), (pause, syn), (pause + 0.1, answer), (pause + 0.2, done)], BOUNDS).flows.to_pylist()
        assert [(row["src_retransmits"], row["connection_state"]) for row in rows] == [(1, "S1")]


def test_a_stray_syn_does_not_end_a_connection_that_is_spoken_on() -> None:
    """An attacker who knows the ports sends a SYN; RFC 9293 §3.10.7.4 answers with an ACK and goes on."""
    conversation, frames = opened()
    stray = segment(CLIENT, SERVER, "S", 77)
    frames += [(1, conversation.send("PA", DATA)), (1.1, stray), (1.2, conversation.back("A"))]
    frames += [(1.3 + place / 100, frame) for place, frame in enumerate(conversation.close())]
    rows = at(frames, BOUNDS).flows.to_pylist()
    assert [(row["connection_state"], row["src_packets"]) for row in rows] == [("SF", 6)]


def flooded(live: int, syns: int, seed: int) -> tuple[list[Timed], int]:
    """Connections that say something every now and then, through a flood from addresses that do not exist."""
    rng = random.Random(seed)
    talks = [talk(client=("10.5.0.1", 2_000 + number)) for number in range(live)]
    frames = [frame for conversation in talks for frame in conversation.open()]
    for number in range(syns):
        source = (f"172.{16 + rng.randrange(16)}.{rng.randrange(256)}.{rng.randrange(256)}", rng.randrange(1 << 16))
        frames.append(segment(source, SERVER, "S", rng.randrange(1 << 32)))
        if number % 50 == 0:
            conversation = talks[number // 50 % live]
            frames += [conversation.send("PA", DATA), conversation.back("PA", DATA)]
    frames += [frame for conversation in talks for frame in conversation.close()]
    return [(place * 1e-4, frame) for place, frame in enumerate(frames)], len(frames)


@pytest.mark.parametrize(("live", "flows"), [(8, 32), (100, 256)])
def test_connections_outlive_a_flood_in_a_small_table(live: int, flows: int) -> None:
    frames, count = flooded(live, 20_000, 3)
    seen = from_bytes(pcap(frames), Bounds(flows, 16))
    rows = [row for row in seen.flows.to_pylist() if row["src_ip"] == "10.5.0.1"]
    assert len(rows) == live
    assert {(row["connection_state"], row["end_reason"], row["started"]) for row in rows} == {("SF", "closed", True)}
    assert sum(row["src_packets"] for row in rows) == live * 4 + 400
    assert seen.coverage["evictions"].to_pylist()[0] == seen.flows["end_reason"].to_pylist().count("evicted") > 0
    assert (packets(seen), discarded(seen)) == ((count, count), {})


def test_a_flood_of_datagrams_costs_no_connection_either() -> None:
    conversation = talk()
    flood = [udp((f"10.{n >> 8 & 255}.{n & 255}.9", 1_000), ("10.0.0.2", 2_000), b"x") for n in range(5_000)]
    frames = [
        *conversation.open(),
        *flood[:2_500],
        conversation.send("PA", DATA),
        *flood[2_500:],
        *conversation.close(),
    ]
    seen = from_bytes(pcap([(place * 1e-4, frame) for place, frame in enumerate(frames)]), Bounds(64, 16))
    row = next(row for row in seen.flows.to_pylist() if row["protocol"] == 6)
    assert (row["connection_state"], row["src_packets"], row["dst_packets"]) == ("SF", 5, 2)
