"""Answers and their data as text, beside dnspython's.

Our text differs from dnspython's presentation in this only: names are lower case and have no final dot, character
strings of TXT and SPF are joined without quotes, numbers and addresses in SVCB have no quotes, and what is not
understood is written as RFC 3597 writes unknown types.
"""

import re
import struct

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdatatype
import dns.rrset
import pytest

from tests.support.frames import of, packets
from tests.support.transactions import ASKED, CLIENT, QUESTION, answer_to, message, one, query, record, response

RDATA = [
    "A 192.0.2.1",
    "AAAA 2001:db8::1",
    "AAAA ::",
    "AAAA 1:0:0:2:0:0:0:3",
    "AAAA ::ffff:192.0.2.1",
    "NS ns1.example.net.",
    "CNAME Target.Example.NET.",
    "CNAME .",
    "DNAME other.example.",
    "PTR host-1.example.",
    "MX 10 mail.example.com.",
    "SOA ns.example.com. admin\\.team.example.com. 2026010101 7200 3600 1209600 4294967295",
    "SRV 0 5 5060 _sip.example.com.",
    'TXT "v=spf1 include:_spf.example -all"',
    'TXT "one" "two;three" "with \\"quotes\\" and \\\\"',
    'TXT "caf\\195\\169\\000\\255"',
    'TXT ""',
    'SPF "v=spf1 -all"',
    'CAA 0 issue "letsencrypt.org"',
    'CAA 128 iodef "mailto:security@example.com"',
    "DS 60485 5 1 2bb183af5f22588179a53b0a98631fad1a292118",
    "SSHFP 4 2 123456789abcdef67890123456789abcdef67890123456789abcdef123456789",
    "TLSA 3 1 0 0123456789abcdef",
    "HTTPS 0 svc.example.net.",
    'HTTPS 1 . alpn="h2,h3" port=8443 ipv4hint=192.0.2.1,192.0.2.2 ipv6hint=2001:db8::1,2001:db8::2',
    'SVCB 16 foo.example.org. alpn="h2" no-default-alpn',
    r'SVCB 16 foo.example.org. alpn="f\\\\oo\\,bar,h2"',  # RFC 9460 §D.2
]


def expected(kind: str, text: str) -> str:
    """dnspython's presentation with the differences this module's first lines state."""
    shown = dns.rdata.from_text("IN", kind, text).to_text()
    if kind in ("TXT", "SPF"):
        strings = dns.rdata.from_text("IN", kind, text).strings
        joined = dns.rdata.from_wire(
            "IN", kind, b"".join(bytes([len(s)]) + s for s in strings), 0, sum(map(len, strings)) + len(strings)
        )
        return "".join(part[1:-1] for part in _quoted(joined.to_text()))
    if kind in ("CAA", "HTTPS", "SVCB"):
        shown = re.sub(r'(port|hint)="([^"]*)"', r"\1=\2", shown)
        return " ".join(word[:-1] if word.endswith(".") and len(word) > 1 else word for word in shown.split(" "))
    return " ".join(word[:-1] if word.endswith(".") and len(word) > 1 else word for word in shown.lower().split(" "))


def _quoted(text: str) -> list[str]:
    """The quoted strings of a presentation, quotes included."""
    parts, start, place = [], 0, 1
    while place < len(text):
        if text[place] == "\\":
            place += 1
        elif text[place] == '"':
            parts.append(text[start : place + 1])
            start = text.find('"', place + 1)
            place = start
            if start < 0:
                break
        place += 1
    return parts


@pytest.mark.parametrize("record", RDATA)
def test_rdata_as_dnspython_shows_it(record: str) -> None:
    kind, text = record.split(" ", 1)
    row = one(of([query(), response(answer_to(QUESTION, f"www.example.com. 60 IN {record}"))]))
    answer = row["answers"][0]  # type: ignore[index]
    assert (answer["type"], answer["data"]) == (kind, expected(kind, text))


def test_every_type_that_is_spelled_out_in_one_message() -> None:
    records = [f"www.example.com. {ttl} IN {record}" for ttl, record in enumerate(RDATA)]
    row = one(of([query(), response(answer_to(QUESTION, *records))]))
    assert [answer["data"] for answer in row["answers"]] == [expected(*record.split(" ", 1)) for record in RDATA]  # type: ignore[attr-defined]
    assert [answer["ttl"] for answer in row["answers"]] == list(range(len(RDATA)))  # type: ignore[attr-defined]


def test_an_unknown_type_is_written_as_rfc_3597() -> None:
    row = one(of([query(), response(answer_to(QUESTION, r"www.example.com. 60 IN TYPE65280 \# 3 ab01ff"))]))
    assert row["answers"] == [{"name": "www.example.com", "type": "TYPE65280", "ttl": 60, "data": r"\# 3 ab01ff"}]


@pytest.mark.parametrize(
    ("kind", "data", "text"),
    [
        (1, b"\1\2\3", r"\# 3 010203"),
        (28, b"", r"\# 0"),
        (5, b"\xc0\xff", r"\# 2 c0ff"),
        (15, b"\0\1", r"\# 2 0001"),
        (16, b"\x05ab", r"\# 3 056162"),
        (257, b"\0\x09is", r"\# 4 00096973"),
        (65, b"\0\1\0\0\1\0\x09", r"\# 7 00010000010009"),
        (6, b"\0\0" + bytes(19), r"\# 21 " + "00" * 21),
    ],
)
def test_rdata_its_type_does_not_allow(kind: int, data: bytes, text: str) -> None:
    row = one(of([query(), response(message(ASKED, record(kind, data), answers=1))]))
    assert row["answers"][0]["data"] == text  # type: ignore[index]


def test_a_protocol_of_a_service_poses_as_no_other_parameter() -> None:
    """Whoever reads the hints out of the text takes what is between spaces for a parameter."""
    protocol = b'h2" ipv4hint=203.0.113.66 \x1b\xe2\x80\xae'
    hint = struct.pack(">HH4B", 4, 4, 192, 0, 2, 1)
    service = b"\0\1\0" + struct.pack(">HHB", 1, 1 + len(protocol), len(protocol)) + protocol + hint
    row = one(of([query(), response(message(ASKED, record(65, service), answers=1))]))
    alpn = r'alpn="h2\"\032ipv4hint=203.0.113.66\032\027\226\128\174"'
    assert row["answers"][0]["data"].split(" ") == ["1", ".", alpn, "ipv4hint=192.0.2.1"]  # type: ignore[index]


def test_a_chain_of_aliases_is_kept_in_order() -> None:
    records = [
        "www.example.com. 1 IN CNAME a.example.",
        "a.example. 2 IN CNAME b.example.",
        "b.example. 3 IN A 192.0.2.9",
    ]
    row = one(of([query(), response(answer_to(QUESTION, *records))]))
    assert [a["data"] for a in row["answers"]] == ["a.example", "b.example", "192.0.2.9"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "name",
    [b"\xc0\x0c", b"\x01a\xc0\x0c", b"\xc0\x0e", b"\xc0\xff", b"\x40abc", b"\x80", b"\x3fshort", b"\xc0"],
    ids=["itself", "loop", "forward", "behind", "64", "128", "cut", "half a pointer"],
)
def test_a_malformed_question_is_counted(name: bytes) -> None:
    seen = of([query(message(name, b"\0\1\0\1" if name != b"\xc0" else b"", flags=0x0100))])
    assert seen.dns.num_rows == 0
    assert seen.coverage["dns_malformed"].to_pylist() == [1]
    assert packets(seen) == (1, 1)


@pytest.mark.parametrize(("pointers", "kept"), [(127, 1), (128, 0)])
def test_a_name_of_too_many_pointers_is_malformed(pointers: int, kept: int) -> None:
    behind = 12 + len(ASKED) + 12  # where the data of the first record begins
    chain = b"".join(struct.pack(">H", 0xC000 | behind + 2 * step - 2) for step in range(pointers - 1))
    chain = b"\xc0\x0c" + chain[2:]
    last = struct.pack(">H", 0xC000 | behind + len(chain) - 2)
    records = record(65280, chain) + record(1, b"\1\2\3\4", last)
    row = one(of([query(), response(message(ASKED, records, answers=2))]))
    assert [answer["data"] for answer in row["answers"]][1:] == ["1.2.3.4"] * kept  # type: ignore[attr-defined]


def test_a_loop_in_the_answers_ends_them() -> None:
    at_loop = 12 + len(ASKED) + 14
    loop = record(1, b"\1\2\3\4", struct.pack(">H", 0xC000 | at_loop + 2))
    row = one(of([query(), response(message(ASKED, record(1, b"\1\2\3\4"), loop, answers=2))]))
    assert [answer["data"] for answer in row["answers"]] == ["1.2.3.4"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("size", [0, 5, 11])
def test_a_header_cut_short_is_counted(size: int) -> None:
    seen = of([query(message()[:size])])
    assert seen.coverage["dns_malformed"].to_pylist() == [1 if size else 0]


def test_a_message_cut_anywhere() -> None:
    whole = answer_to(QUESTION, *[f"www.example.com. 60 IN {record}" for record in RDATA]).to_wire()
    for cut in range(12, len(whole), 5):
        seen = of([query(), response(whole[:cut])])
        assert packets(seen) == (2, 2)
        assert seen.dns.num_rows == 1


def test_names_of_255_octets_and_no_more() -> None:
    longest = b"\x3f" + b"a" * 63
    whole = longest * 3 + b"\x3d" + b"b" * 61 + b"\0"
    assert len(whole) == 255
    assert one(of([query(message(whole, b"\0\1\0\1", flags=0))]))["qname"] == ("a" * 63 + ".") * 3 + "b" * 61
    seen = of([query(message(longest * 3 + b"\x3e" + b"b" * 62 + b"\0", b"\0\1\0\1", flags=0))])
    assert seen.coverage["dns_malformed"].to_pylist() == [1]


def test_octets_that_are_no_text_are_escaped() -> None:
    label = b'\x0ba.b\\c \xff\0\n"<'
    row = one(of([query(message(label + b"\x02\xc3\xa9\0", b"\0\1\0\1", flags=0))]))
    assert row["qname"] == 'a\\.b\\\\c\\032\\255\\000\\010"<.\\195\\169'


def test_255_octets_that_are_all_escaped() -> None:
    whole = (b"\x3f" + b"\xfe" * 63) * 3 + b"\x3d" + b"\xfd" * 61 + b"\0"
    frames = [query(message(whole, b"\0\1\0\1", flags=0), (CLIENT[0], port)) for port in range(1000, 1300)]
    names = set(of(frames).dns["qname"].to_pylist())
    assert names == {".".join(["\\254" * 63] * 3 + ["\\253" * 61])}


def test_the_root() -> None:
    assert one(of([query(dns.message.make_query(".", "NS"))]))["qname"] == "."


def test_as_many_answers_as_a_message_has_room_for() -> None:
    records = [record(1, struct.pack(">I", number)) for number in range(4000)]
    row = one(of([query(), response(message(ASKED, *records, answers=4000))]))
    assert len(row["answers"]) == 4000  # type: ignore[arg-type]


def test_answers_that_grow_beyond_all_bounds_are_left_out_from_there_on() -> None:
    long = b"".join(b"\x3f" + bytes([200 + part]) * 63 for part in range(3)) + b"\0"
    first = message(ASKED, record(5, long), answers=4500)
    pointer = struct.pack(">H", 0xC000 | (first.index(long)))
    row = one(of([query(), response(first + record(5, pointer, pointer) * 4499)]))
    assert 2_000 < len(row["answers"]) < 4_500  # type: ignore[arg-type]
