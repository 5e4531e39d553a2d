"""DNS: over TCP, in fragments, with extensions, of other kinds than queries, on other ports."""

import dns.edns
import dns.flags
import dns.message
import dns.opcode
import dns.rrset
import dns.update

from tests.support.frames import Timed, timed
from tests.support.segments import CLIENT, SERVER, Connection, End, fragments, permuted, udp

CLIENT_6, SERVER_6 = ("fd00::1", 40000), ("fd00::53", 53)


def ask(name: str, number: int, kind: str = "A", **edns: object) -> dns.message.Message:
    return dns.message.make_query(name, kind, id=number, **edns)  # type: ignore[arg-type]


def reply(asked: dns.message.Message, *records: str) -> dns.message.Message:
    message = dns.message.make_response(asked, recursion_available=True)
    message.answer = [dns.rrset.from_text(*record.split(" ", 4)) for record in records]
    return message


def address(asked: dns.message.Message, text: str) -> dns.message.Message:
    return reply(asked, f"{asked.question[0].name} 60 IN A {text}")


def long_reply(asked: dns.message.Message, strings: int) -> dns.message.Message:
    """With as many character strings of 200 octets."""
    name = asked.question[0].name
    return reply(asked, *[f'{name} 60 IN TXT "{chr(97 + place % 26) * 200}"' for place in range(strings)])


def over_tcp(message: dns.message.Message) -> bytes:
    wire = message.to_wire()
    return len(wire).to_bytes(2, "big") + wire


def exchange(asked: dns.message.Message, answer: dns.message.Message, client: End = CLIENT) -> list[bytes]:
    return [udp(client, SERVER, asked.to_wire()), udp(SERVER, client, answer.to_wire())]


A, B, C = ask("a.example.", 1), ask("b.example.", 2), ask("c.example.", 3)
RA, RB, RC = (address(message, f"192.0.2.{place}") for place, message in enumerate((A, B, C), 1))


def two_messages_in_one_segment() -> list[Timed]:
    talk = Connection()
    queries, answers = over_tcp(A) + over_tcp(B), over_tcp(RB) + over_tcp(RA)
    return timed([*talk.open(), talk.send("PA", queries), talk.back("PA", answers), *talk.close()])


def out_of_order() -> list[Timed]:
    """Three queries, the first segment last; their answers in six segments, reordered."""
    talk = Connection()
    opened = talk.open()
    queries = [talk.send("PA", over_tcp(message)) for message in (A, B, C)]
    answers = talk.pieces(b"".join(map(over_tcp, (RA, RB, RC))), [1, 30, 40, 25, 3], back=True)
    return timed([*opened, *permuted(queries, (1, 2, 0)), *permuted(answers, (5, 0, 2, 4, 1, 3)), *talk.close()])


def one_message_over_many_segments() -> list[Timed]:
    talk = Connection()
    asked = ask("txt.example.", 9, "TXT")
    answers = over_tcp(long_reply(asked, 20))
    frames = [*talk.open(), *talk.pieces(over_tcp(asked), [1, 1, 11])]
    return timed([*frames, *talk.pieces(answers, [1, 1, 1, 1448, 1448, 7], back=True), *talk.close()])


def fast_open() -> list[Timed]:
    """RFC 7413: the query comes with the SYN."""
    talk = Connection()
    cookie = bytes.fromhex("220a 0102030405060708 0101")
    frames = [talk.send("S", over_tcp(A), options=cookie), talk.back("SA"), talk.send("A")]
    return timed([*frames, talk.back("PA", over_tcp(RA)), *talk.close()])


def sent_again() -> list[Timed]:
    """A query sent again, then once more with the next one in the same segment; an answer sent again."""
    talk = Connection()
    opened, first = talk.open(), talk.send("PA", over_tcp(A))
    talk.next[0] -= len(over_tcp(A))
    both = talk.send("PA", over_tcp(A) + over_tcp(B))
    answer = talk.back("PA", over_tcp(RA))
    return timed([*opened, first, first, both, answer, answer, talk.back("PA", over_tcp(RB)), *talk.close()])


def mid_stream() -> list[Timed]:
    """The first that is seen is the end of an answer."""
    talk = Connection()
    tail = talk.back("PA", over_tcp(long_reply(ask("txt.example.", 9, "TXT"), 4))[300:])
    return timed([tail, talk.send("A"), talk.send("PA", over_tcp(A)), talk.back("PA", over_tcp(RA)), *talk.close()])


def gap_in_the_capture() -> list[Timed]:
    """A segment of the first answer is missing: what follows on the stream is read again when nobody waits for it any more."""
    talk = Connection()
    frames = [*talk.open(), talk.send("PA", over_tcp(A))]
    answer = talk.pieces(over_tcp(long_reply(A, 10)), [700, 700], back=True)
    late = [talk.send("PA", over_tcp(B)), talk.back("PA", over_tcp(RB)), *talk.close()]
    return timed([*frames, answer[0], answer[2]]) + [(12 + place / 1000, frame) for place, frame in enumerate(late)]


def port_53_is_not_dns() -> list[Timed]:
    """A request of HTTP, whose first octets would be a length, and zeros."""
    web = Connection()
    request = b"GET / HTTP/1.1\r\nHost: example\r\n\r\n"
    page = b"HTTP/1.1 204 No Content\r\n\r\n"
    zeros = Connection(("10.0.0.1", 40001))
    first = [*web.open(), web.send("PA", request), web.back("PA", page), *web.close()]
    return timed([*first, *zeros.open(), zeros.send("PA", bytes(40)), zeros.back("A"), *zeros.close()])


def fragmented(client: End, server: End) -> list[Timed]:
    asked = ask("txt.example.", 9, "TXT", use_edns=0, payload=4096)
    answer = fragments(server, client, long_reply(asked, 12).to_wire(), 1280)
    return timed([udp(client, server, asked.to_wire()), *answer])


def fragments_before_the_first() -> list[Timed]:
    """Of an answer, and of a datagram on other ports, whose flow begins with what waits for it."""
    asked = ask("txt.example.", 9, "TXT", use_edns=0, payload=4096)
    answer = fragments(SERVER, CLIENT, long_reply(asked, 12).to_wire(), 1280)
    src, dst = ("10.0.0.1", 50000), ("10.0.0.9", 60000)
    other = permuted(fragments(src, dst, bytes(3000), 1000, 8), (3, 1, 0, 2))
    return timed([udp(CLIENT, SERVER, asked.to_wire()), *permuted(answer, (1, 2, 0)), *other])


def fragments_orphaned() -> list[Timed]:
    """An answer without its first fragment; one without its last, which nobody can read."""
    asked = ask("txt.example.", 9, "TXT", use_edns=0, payload=4096)
    answer = fragments(SERVER, CLIENT, long_reply(asked, 12).to_wire(), 1280)
    again = fragments(SERVER, CLIENT, long_reply(asked, 12).to_wire(), 1280, 8)
    return timed([udp(CLIENT, SERVER, asked.to_wire()), *answer[1:], *again[:-1]])


def truncated_then_tcp() -> list[Timed]:
    asked = ask("txt.example.", 9, "TXT")
    short = reply(asked)
    short.flags |= dns.flags.TC
    talk, again = Connection(("10.0.0.1", 40001)), ask("txt.example.", 10, "TXT")
    frames = [*talk.open(), talk.send("PA", over_tcp(again)), talk.back("PA", over_tcp(long_reply(again, 5)))]
    return timed([*exchange(asked, short), *frames, *talk.close()])


def extended_error_and_client_subnet() -> list[Timed]:
    subnets = [dns.edns.ECSOption("198.51.100.77", 24), dns.edns.ECSOption("2001:db8:1234::", 40)]
    frames = []
    for number, subnet in enumerate(subnets, 1):
        asked = ask("a.example.", number, use_edns=0, payload=1232, want_dnssec=True, options=[subnet])
        answer = dns.message.make_response(asked, recursion_available=True)
        answer.set_rcode(2)
        errors = [dns.edns.EDEOption(22, "no reachable authority"), dns.edns.EDEOption(23)]
        answer.use_edns(0, options=[subnet, *errors])
        frames += exchange(asked, answer)
    return timed(frames)


def negative_answers() -> list[Timed]:
    """NXDOMAIN, NODATA, NODATA behind an alias, a referral and a truncated one; the last over TCP again."""
    names = [ask(f"{name}.example.", number) for number, name in enumerate(("gone", "typed", "alias", "sub", "cut"), 1)]
    answers = [dns.message.make_response(asked, recursion_available=True) for asked in names]
    soa = dns.rrset.from_text("example.", 3600, "IN", "SOA", "ns.example. admin.example. 7 7200 3600 1209600 30")
    short = dns.rrset.from_text("example.", 5, "IN", "SOA", "ns.example. admin.example. 7 7200 3600 1209600 30")
    for answer, authority in zip(answers, (soa, short, soa, None, soa), strict=True):
        answer.authority = [authority or dns.rrset.from_text("sub.example.", 60, "IN", "NS", "ns.sub.example.")]
    answers[0].set_rcode(3)
    answers[2].answer = [dns.rrset.from_text("alias.example.", 60, "IN", "CNAME", "typed.example.")]
    answers[4].flags |= dns.flags.TC
    frames = [frame for pair in zip(names, answers, strict=True) for frame in exchange(*pair)]
    answers[4].flags &= ~dns.flags.TC
    talk = Connection(("10.0.0.1", 40001))
    again = [*talk.open(), talk.send("PA", over_tcp(names[4])), talk.back("PA", over_tcp(answers[4])), *talk.close()]
    return timed([*frames, *again])


def update_and_notify() -> list[Timed]:
    update = dns.update.UpdateMessage("example.", id=5)
    update.present("old.example.", "A")
    update.replace("new.example.", 300, "A", "192.0.2.7")
    update.delete("old.example.")
    notify = ask("example.", 6, "SOA", flags=0)
    notify.set_opcode(dns.opcode.NOTIFY)
    notify.flags |= dns.flags.AA
    notify.answer = [dns.rrset.from_text("example.", 60, "IN", "SOA", "ns.example. admin.example. 7 1 2 3 4")]
    frames = []
    for asked in (update, notify):
        frames += exchange(asked, dns.message.make_response(asked))
    return timed(frames)


def mixed_case() -> list[Timed]:
    """0x20 encoding: the answer repeats the case, or a server answers in lower case."""
    mixed, other = ask("wWw.ExaMPle.", 1), ask("API.example.", 2)
    lower = dns.message.make_response(ask("api.example.", 2))
    plain = ask("plain.example.", 3)
    frames = [*exchange(mixed, address(mixed, "192.0.2.1")), *exchange(other, lower)]
    return timed([*frames, *exchange(plain, address(plain, "192.0.2.3"))])


def other_port() -> list[Timed]:
    """CoreDNS listens on 1053 behind the Service; 5300 is no port of DNS here."""
    frames = []
    for number, port in enumerate((1053, 53, 5300), 1):
        asked, server = ask("a.example.", number), ("10.0.0.2", port)
        frames += [udp(CLIENT, server, asked.to_wire()), udp(server, CLIENT, address(asked, "192.0.2.1").to_wire())]
    talk = Connection(server=("10.0.0.2", 1053))
    frames += [*talk.open(), talk.send("PA", over_tcp(B)), talk.back("PA", over_tcp(RB)), *talk.close()]
    return timed(frames)


def mdns_and_llmnr() -> list[Timed]:
    """RFC 6762 and RFC 4795: names of a link, not of the DNS."""
    printer, laptop = ask("printer.local.", 0), ask("laptop.", 4)
    mdns, llmnr = ("224.0.0.251", 5353), ("224.0.0.252", 5355)
    told = address(printer, "10.0.0.7")
    frames = [udp(("10.0.0.1", 5353), mdns, printer.to_wire()), udp(("10.0.0.7", 5353), mdns, told.to_wire())]
    frames += [udp(("10.0.0.1", 50000), llmnr, laptop.to_wire())]
    frames += [udp(("10.0.0.8", 5355), ("10.0.0.1", 50000), address(laptop, "10.0.0.8").to_wire())]
    return timed(frames)


CAPTURES = {
    "dns-over-tcp-two-messages-in-one-segment": two_messages_in_one_segment,
    "dns-over-tcp-out-of-order": out_of_order,
    "dns-over-tcp-one-message-over-many-segments": one_message_over_many_segments,
    "dns-over-tcp-fast-open": fast_open,
    "dns-over-tcp-sent-again": sent_again,
    "dns-over-tcp-mid-stream": mid_stream,
    "dns-over-tcp-gap-in-the-capture": gap_in_the_capture,
    "dns-over-tcp-port-53-is-not-dns": port_53_is_not_dns,
    "dns-fragmented-ipv4": lambda: fragmented(CLIENT, SERVER),
    "dns-fragmented-ipv6": lambda: fragmented(CLIENT_6, SERVER_6),
    "fragments-before-the-first": fragments_before_the_first,
    "fragments-orphaned": fragments_orphaned,
    "dns-truncated-then-tcp": truncated_then_tcp,
    "dns-extended-error-and-client-subnet": extended_error_and_client_subnet,
    "dns-negative-answers": negative_answers,
    "dns-update-and-notify": update_and_notify,
    "dns-mixed-case": mixed_case,
    "dns-other-port": other_port,
    "mdns-and-llmnr-are-not-dns": mdns_and_llmnr,
}
