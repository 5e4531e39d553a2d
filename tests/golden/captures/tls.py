"""The ClientHello over TCP and QUIC, in pieces and in other orders."""

from tests.support.frames import Timed, timed
from tests.support.hellos import client_hello, in_records, tls_record
from tests.support.quic import V1, V2, initial_datagrams
from tests.support.segments import Connection, permuted, udp

WEB, CLIENT = ("192.0.2.80", 443), ("10.0.0.1", 40000)
LONG = 1300  # octets of padding, as much as a post-quantum key share takes


def connection(number: int = 0) -> Connection:
    return Connection(("10.0.0.1", 40000 + number), WEB)


def answered(talk: Connection, frames: list[bytes]) -> list[bytes]:
    return [*frames, talk.back("A"), talk.back("PA", tls_record(b"\2" + bytes(80))), *talk.close()]


def over_segments() -> list[Timed]:
    """One of two segments; one of a header octet by octet; one whose name is cut in the middle."""
    hello = tls_record(client_hello("api.stripe.example", padding=LONG))
    small = tls_record(client_hello("cut.example"))
    scripts = [(hello, [1448]), (hello, [1, 1, 1, 1, 1, 1, 1, 600]), (small, [small.index(b"cut.") + 2])]
    frames = []
    for number, (data, sizes) in enumerate(scripts):
        talk = connection(number)
        frames += answered(talk, [*talk.open(), *talk.pieces(data, sizes)])
    return timed(frames)


def over_records() -> list[Timed]:
    """RFC 8446 §5.1: a handshake message may be in several records, here in one segment, and cut elsewhere than the segments."""
    hello = client_hello("records.example", padding=LONG)
    one, other = connection(), connection(1)
    frames = answered(one, [*one.open(), one.send("PA", in_records(hello, [1, 3, 500]))])
    return timed([*frames, *answered(other, [*other.open(), *other.pieces(in_records(hello, [40, 700]), [100, 650])])])


def out_of_order() -> list[Timed]:
    hello = tls_record(client_hello("order.example", padding=LONG))
    frames = []
    for number, order in enumerate([(1, 0, 2), (2, 1, 0), (2, 0, 1)]):
        talk = connection(number)
        opened = talk.open()
        frames += answered(talk, [*opened, *permuted(talk.pieces(hello, [500, 500]), order)])
    return timed(frames)


def cut_off() -> list[Timed]:
    """The rest of the ClientHello never comes: what came of it is told when the flow ends."""
    hello = tls_record(client_hello("first.example", trailing=LONG))
    talk = connection()
    return timed([*talk.open(), talk.send("PA", hello[:500]), talk.back("RA")])


def encrypted() -> list[Timed]:
    talk, plain = connection(), connection(1)
    hello = tls_record(client_hello("public.example", encrypted=True))
    frames = answered(talk, [*talk.open(), talk.send("PA", hello)])
    old = tls_record(client_hello("old.example", (), ()))
    return timed([*frames, *answered(plain, [*plain.open(), plain.send("PA", old)])])


def quic(version: int, *split: int, order: tuple[int, ...] = (0,)) -> list[Timed]:
    """The client's flight, an answer nobody can read without the server's keys, and a short header."""
    hello = client_hello("quic.example", ("h3",), (0x0304,), padding=LONG if split else 0)
    flight = [udp(CLIENT, WEB, data) for data in initial_datagrams(hello, version, split=split)]
    rest = [udp(WEB, CLIENT, b"\xe0" + bytes(1199)), udp(CLIENT, WEB, b"\x40" + bytes(range(60)))]
    return timed([*permuted(flight, order), *rest])


CAPTURES = {
    "tls-hello-over-segments": over_segments,
    "tls-hello-over-records": over_records,
    "tls-hello-out-of-order": out_of_order,
    "tls-hello-cut-off": cut_off,
    "tls-encrypted-hello": encrypted,
    "quic-v1": lambda: quic(V1),
    "quic-v2": lambda: quic(V2),
    "quic-hello-over-two-datagrams": lambda: quic(V1, 900, order=(1, 0)),
}
