"""How long a name or its type may be remembered as missing (RFC 2308 §5), and what says nothing of that."""

import random
import struct

import dns.message
import dns.opcode
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from tests.support.frames import Collected, of
from tests.support.messages import over_tcp
from tests.support.segments import CLIENT, SERVER, Connection, fragments, permuted, udp
from tests.support.transactions import ASKED, QUESTION, answer_to, message, one, query, record, response

NS, CNAME, SOA, OPT = 2, 5, 6, 41
NXDOMAIN, NODATA = 0x8183, 0x8180
NUMBERS = struct.pack(">IIII", 2026010101, 7200, 3600, 1209600)
NAMES = b"\xc0\x0c\xc0\x0c"
ADDRESS = record(1, b"\xc0\0\2\1")
REFERRAL = record(NS, b"\xc0\x0c")


def soa(ttl: int = 300, minimum: int = 30, names: bytes = NAMES, numbers: bytes = NUMBERS) -> bytes:
    return record(SOA, names + numbers + struct.pack(">I", minimum), ttl=ttl)


def denied(*authority: bytes, flags: int = NXDOMAIN) -> bytes:
    return message(ASKED, *authority, flags=flags, authorities=len(authority))


def told(answer: dns.message.Message | bytes) -> object:
    return one(of([query(), response(answer)]))["negative_ttl"]


def refusal(rcode: int, *answers: str) -> dns.message.Message:
    """As dnspython builds it, names compressed against all that came before; its SOA says 30 seconds."""
    answer = answer_to(QUESTION, *answers)
    answer.set_rcode(dns.rcode.Rcode(rcode))
    data = "ns1.example.com. hostmaster.example.com. 2026010101 7200 3600 1209600 30"
    answer.authority = [dns.rrset.from_text("example.com.", 300, "IN", "SOA", data)]
    return answer


@pytest.mark.parametrize("flags", [NXDOMAIN, NODATA], ids=["nxdomain", "nodata"])
@pytest.mark.parametrize(
    ("ttl", "minimum", "seconds"),
    [
        (300, 30, 30),
        (30, 300, 30),
        (5, 5, 5),
        (0, 30, 0),
        (30, 0, 0),
        (1 << 31, 60, 60),
        (60, 1 << 31, 60),
        (1 << 31, (1 << 31) + 1, 1 << 31),
        (0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF),
    ],
)
def test_the_smaller_of_ttl_and_minimum(flags: int, ttl: int, minimum: int, seconds: int) -> None:
    assert told(denied(soa(ttl, minimum), flags=flags)) == seconds


ALIAS, FURTHER = "www.example.com. 60 IN CNAME a.example.com.", "a.example.com. 60 IN CNAME b.example.com."
MISSING = [
    refusal(3),
    refusal(0),
    refusal(3, ALIAS),
    refusal(0, ALIAS),
    refusal(0, ALIAS, FURTHER),
    refusal(0, "example.com. 60 IN DNAME example.net.", "www.example.com. 0 IN CNAME www.example.net."),
]


@pytest.mark.parametrize("answer", MISSING, ids=["name", "type", "alias", "type of it", "of its own", "behind a DNAME"])
def test_a_name_or_type_that_is_missing(answer: dns.message.Message) -> None:
    assert told(answer) == 30


def test_aliases_that_lead_to_an_answer_deny_nothing() -> None:
    assert told(refusal(0, ALIAS, "a.example.com. 60 IN A 192.0.2.1")) is None


@pytest.mark.parametrize(
    ("kind", "has", "seconds"),
    [
        ("CNAME", "CNAME a.example.com.", None),
        ("ANY", "MX 10 a.example.com.", None),
        ("ANY", None, 30),
        ("AAAA", "A 192.0.2.1", 30),
        ("SOA", None, 30),
    ],
)
def test_what_answers_the_type_that_was_asked_for(kind: str, has: str | None, seconds: int | None) -> None:
    ask = dns.message.make_query("www.example.com", kind, id=7)
    answer = refusal(0, *([f"www.example.com. 60 IN {has}"] if has else []))
    answer.question = ask.question
    assert one(of([query(ask), response(answer)]))["negative_ttl"] == seconds


@pytest.mark.parametrize("rcode", [1, 2, 4, 5, 9])
def test_failures_deny_nothing(rcode: int) -> None:
    assert told(refusal(rcode)) is None


def test_an_extended_rcode_is_none_of_the_two() -> None:
    """BADVERS and BADMODE have the low four bits of NOERROR and NXDOMAIN (RFC 6895 §2.3)."""
    for flags in (NODATA, NXDOMAIN):
        for extended, seconds in ((0, 30), (1, None)):
            opt = b"\0" + struct.pack(">HHBBHH", OPT, 1232, extended, 0, 0, 0)
            answer = message(ASKED, soa(), opt, flags=flags, authorities=1, additional=1)
            assert told(answer) == seconds


@pytest.mark.parametrize(
    "answer",
    [
        message(ASKED, flags=NXDOMAIN),
        message(ASKED, flags=NODATA),
        denied(REFERRAL, REFERRAL, flags=NODATA),
        message(ASKED, soa(), flags=NXDOMAIN, answers=1),
        message(ASKED, soa(), flags=NXDOMAIN, additional=1),
        message(ASKED, REFERRAL, soa(), flags=NODATA, authorities=1, additional=1),
        denied(soa(), flags=NXDOMAIN | 0x0200),
        denied(soa(), flags=NODATA | 0x0200),
        denied(soa(), flags=NODATA | 5 << 11),
        denied(soa(), flags=NODATA | 4 << 11),
    ],
    ids=[
        "no SOA",
        "no SOA and no answer",
        "a referral",
        "an SOA as the answer",
        "an additional SOA",
        "an additional SOA behind a referral",
        "truncated NXDOMAIN",
        "truncated NODATA",
        "UPDATE",
        "NOTIFY",
    ],
)
def test_what_says_nothing_of_it(answer: bytes) -> None:
    assert told(answer) is None


def test_without_a_response_nothing_is_told() -> None:
    assert one(of([query()]))["negative_ttl"] is None


def test_the_first_response_tells() -> None:
    assert one(of([query(), response(denied(soa(9, 9))), response(denied(soa(5, 5)))]))["negative_ttl"] == 9
    assert one(of([query(), response(denied()), response(denied(soa(5, 5)))]))["negative_ttl"] is None


def test_a_response_out_of_nowhere_tells_too() -> None:
    row = one(of([response(denied(soa()))]))
    assert (row["outcome"], row["negative_ttl"]) == ("unsolicited", 30)


def test_a_response_without_a_question() -> None:
    """What was asked for is not in it, so any answer may be what was."""
    for flags, answers, seconds in ((NXDOMAIN, 0, 30), (NODATA, 0, 30), (NODATA, 1, None)):
        parts = [record(1, b"\1\2\3\4", b"\0")] * answers + [soa(names=b"\0\0")]
        assert told(message(*parts, flags=flags, questions=0, answers=answers, authorities=1)) == seconds


def test_the_first_soa_among_other_records_tells() -> None:
    """NODATA may name the servers of the zone too (RFC 2308 §2.2)."""
    assert told(denied(REFERRAL, soa(300, 7), soa(1, 1), REFERRAL, flags=NODATA)) == 7
    assert told(denied(soa(300, 7)[:-1] + b"\x08", b"\xff" * 40)) == 8


@pytest.mark.parametrize(
    "names",
    [
        b"\0\0",
        b"\xc0\x0c\xc0\x10",
        b"\x03ns1\xc0\x10\x05admin\xc0\x10",
        b"\xc0\x00\xff\xff",
        b"\xc0\x2d\xc0\x2f",
        b"\xc0\x2f\xc0\x2d",
        (b"\x3f" + b"n" * 63) * 3 + b"\x3d" + b"n" * 61 + b"\0\xc0\x0c",
    ],
    ids=["roots", "question", "relative", "header and beyond", "themselves", "each other", "longest"],
)
def test_where_names_of_an_soa_point_to_does_not_matter(names: bytes) -> None:
    """They are passed over: the two numbers are at places that no pointer moves."""
    assert told(denied(soa(300, 45, names))) == 45


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0",
        NAMES,
        NAMES + NUMBERS,
        NAMES + NUMBERS + b"\0\0\0",
        NAMES + NUMBERS + bytes(5),
        b"\x40" + bytes(30),
        b"\x3fshort" + NUMBERS,
        b"\0\xc0" + bytes(20),
        b"\xc0\x0c" + bytes(20),
        b"\x17" + bytes(22),
        b"\0\x17" + bytes(22),
    ],
    ids=[
        "empty",
        "one",
        "names",
        "no minimum",
        "cut",
        "longer",
        "64",
        "beyond",
        "pointer",
        "one name",
        "over",
        "over 2",
    ],
)
def test_data_that_is_no_soa(data: bytes) -> None:
    seen = of([query(), response(denied(record(SOA, data), soa(3, 3)))])
    assert (one(seen)["negative_ttl"], malformed(seen)) == (None, 0)


def malformed(seen: Collected) -> int:
    return int(seen.coverage["dns_malformed"].to_pylist()[0])


def test_a_message_cut_anywhere_keeps_what_came_before() -> None:
    whole = message(ASKED, ADDRESS, soa(), flags=NXDOMAIN, answers=1, authorities=1)
    behind = 12 + len(ASKED) + len(ADDRESS)
    for cut in range(behind, len(whole) + 1):
        seen = of([query(), response(whole[:cut])])
        row = one(seen)
        assert [answer["data"] for answer in row["answers"]] == ["192.0.2.1"]  # type: ignore[attr-defined]
        assert (row["negative_ttl"], malformed(seen)) == (30 if cut == len(whole) else None, 0)


def test_any_octets_as_authority_harm_no_answer() -> None:
    chance = random.Random(5)
    for _ in range(300):
        noise = chance.randbytes(chance.randrange(60))
        answer = message(ASKED, ADDRESS, soa()[: chance.randrange(60)] + noise, answers=1, authorities=0xFFFF)
        seen = of([query(), response(answer)])
        row = one(seen)
        assert [answer["data"] for answer in row["answers"]] == ["192.0.2.1"]  # type: ignore[attr-defined]
        assert (row["outcome"], row["negative_ttl"], malformed(seen)) == ("answered", None, 0)


def test_an_answer_beyond_the_bound_on_text_is_an_answer() -> None:
    """Of thousands of aliases with long names only the first ones are written."""
    long = b"".join(b"\x3f" + bytes([200 + part]) * 63 for part in range(3)) + b"\0"
    first = ASKED + record(CNAME, long)
    pointer = struct.pack(">H", 0xC000 | (12 + first.index(long)))
    aliases = first + record(CNAME, pointer, pointer) * 4399
    for last, count, seconds in ((b"", 4400, 30), (ADDRESS, 4401, None)):
        row = one(of([query(), response(message(aliases, last, soa(), answers=count, authorities=1))]))
        assert (len(row["answers"]) < 4400, row["negative_ttl"]) == (True, seconds)  # type: ignore[arg-type]


def test_an_soa_behind_as_many_records_as_a_message_has_room_for() -> None:
    assert told(denied(*[record(NS, b"")] * 5_000, soa())) == 30


def test_over_tcp_in_segments() -> None:
    talk = Connection()
    asked, answer = over_tcp(QUESTION.to_wire()), over_tcp(denied(REFERRAL, soa()), denied(soa(1, 1)))
    frames = [*talk.open(), talk.send("PA", asked), *talk.pieces(answer, [1, 40, 20, 9], back=True), *talk.close()]
    row = one(of(frames))
    assert (row["transport"], row["negative_ttl"]) == ("tcp", 30)


def test_in_fragments() -> None:
    signature = record(46, bytes(900))
    parts = fragments(SERVER, CLIENT, denied(signature, soa(), signature), 320)
    for order in (range(len(parts)), range(len(parts) - 1, -1, -1)):
        row = one(of([udp(CLIENT, SERVER, QUESTION.to_wire()), *permuted(parts, order)]))
        assert row["negative_ttl"] == 30
    cut = one(of([udp(CLIENT, SERVER, QUESTION.to_wire()), *parts[:2]]))
    assert (cut["outcome"], cut["negative_ttl"]) == ("unanswered", None)
