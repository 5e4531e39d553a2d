"""TCP connections that do not go by the book."""

from tests.support.frames import Timed, timed
from tests.support.segments import Connection, segment

SERVER = ("10.0.0.2", 8080)


def connection(number: int = 0, port: int = 8080) -> Connection:
    return Connection(("10.0.0.1", 40000 + number), ("10.0.0.2", port))


def simultaneous_open() -> list[Timed]:
    """RFC 9293 figure 7: both send a SYN, both acknowledge the other's."""
    a, b = ("10.0.0.1", 40000), SERVER
    frames = [
        segment(a, b, "S", 1_000),
        segment(b, a, "S", 5_000),
        segment(a, b, "SA", 1_000, ack=5_001),
        segment(b, a, "SA", 5_000, ack=1_001),
        segment(a, b, "PA", 1_001, b"hello", ack=5_001),
        segment(b, a, "PA", 5_001, b"hello", ack=1_006),
        segment(a, b, "FA", 1_006, ack=5_006),
        segment(b, a, "FA", 5_006, ack=1_007),
        segment(a, b, "A", 1_007, ack=5_007),
    ]
    return timed(frames)


def half_open() -> list[Timed]:
    """Nobody answers; the last ACK is missing; one end has forgotten the connection (RFC 9293 §3.5.1)."""
    silent, stuck, forgotten = connection(0), connection(1), connection(2)
    syn = silent.send("S")
    frames = [(0.0, syn), (1.0, syn), (3.0, syn)]
    answer = [stuck.send("S"), stuck.back("SA")]
    frames += [(4.0, answer[0]), (4.001, answer[1]), (5.001, answer[1])]
    crash = [*forgotten.open(), forgotten.send("PA", b"still there?"), forgotten.back("R")]
    return frames + [(6 + place / 1000, frame) for place, frame in enumerate(crash)]


def reset_race() -> list[Timed]:
    """Resets that cross data, a FIN or each other; one behind a close; one to a SYN; one of a SYN's own sender."""
    crossing, fin, both, after, refused, own = (connection(number) for number in range(6))
    frames = [*crossing.open(), crossing.send("PA", b"request"), crossing.back("R"), crossing.send("PA", b"more")]
    frames += [*fin.open(), fin.send("PA", b"last"), fin.send("FA"), fin.back("RA")]
    frames += [*both.open(), both.send("PA", b"data"), both.send("R"), both.back("R")]
    frames += [*after.open(), *after.close(), after.back("R")]
    frames += [refused.send("S"), refused.back("RA")]
    frames += [own.send("S"), own.send("R")]
    return timed(frames)


def mid_stream() -> list[Timed]:
    """Who opened it is told by another connection to the same listener, by the ports, or by nothing but who speaks first."""
    known = connection(0)
    same, port, first = connection(1), connection(2, 443), connection(3, 50000)
    frames = [*known.open(), *known.close(), same.back("PA", b"answer"), same.send("A")]
    frames += [port.back("PA", b"answer"), port.send("A")]
    return timed([*frames, first.back("PA", b"answer"), first.send("PA", b"request"), first.back("A")])


def retransmissions_and_zero_windows() -> list[Timed]:
    """A SYN, data and a FIN sent again; a window that closes, is probed and opens; a keep-alive, which is no data sent again."""
    talk = connection()
    syn, answer, done = talk.open()
    data = [talk.send("PA", bytes(100)) for _ in range(3)]
    probe = segment(*talk.ends, "A", talk.next[0] - 1, b"\0", ack=talk.next[1])
    closed = [talk.back("A", window=0), talk.back("A", window=0), talk.back("A", window=512)]
    back = talk.back("PA", bytes(50))
    fin, answered, last = talk.close()
    frames = [syn, syn, answer, done, data[0], data[0], data[1], data[2], data[1], closed[0], probe, closed[1]]
    return timed([*frames, closed[2], back, back, fin, fin, answered, last], 0.01)


def long_connection() -> list[Timed]:
    """Eleven minutes: three records, of which the first saw it open and the last saw it close."""
    talk = connection()
    frames = [(place / 1000, frame) for place, frame in enumerate(talk.open())]
    for when in range(30, 660, 30):
        frames += [(float(when), talk.send("PA", b"ping")), (when + 0.01, talk.back("PA", b"pong"))]
    return frames + [(660 + place / 1000, frame) for place, frame in enumerate(talk.close())]


def idle_then_port_used_again() -> list[Timed]:
    """No FIN is seen: the same ports after ten seconds with a SYN are another connection."""
    one = connection()
    other = Connection(*one.ends, first=(900_000, 800_000))
    frames = [*one.open(), one.send("PA", b"request"), one.back("PA", b"answer")]
    later = [*other.open(), other.send("PA", b"request"), other.back("PA", b"answer"), *other.close()]
    return timed(frames) + [(10 + place / 1000, frame) for place, frame in enumerate(later)]


CAPTURES = {
    "tcp-simultaneous-open": simultaneous_open,
    "tcp-half-open": half_open,
    "tcp-reset-race": reset_race,
    "tcp-mid-stream": mid_stream,
    "tcp-retransmissions-and-zero-windows": retransmissions_and_zero_windows,
    "tcp-long-connection": long_connection,
    "tcp-port-used-again-without-a-close": idle_then_port_used_again,
}
