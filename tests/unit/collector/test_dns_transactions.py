"""DNS transactions: pairing, and rdata as text beside dnspython's.

Our text differs from dnspython's presentation in this only: names are lower case and have no final dot, character
strings of TXT and SPF are joined without quotes, numbers and addresses in SVCB have no quotes, and what is not
understood is written as RFC 3597 writes unknown types.
"""

import re
import struct
import time

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdatatype
import dns.rrset
import pytest
from scapy.layers.inet import IP, UDP
from scapy.packet import Packet

from collector.kernels import state
from collector.kernels.state import Bounds
from collector.kernels.transactions import LOOK_BACK
from tests.support.frames import SECOND, Collected, at, ether, from_bytes, of, packets, pcap, timed

CLIENT, SERVER = ("10.0.0.1", 40000), ("10.0.0.2", 53)
QUESTION = dns.message.make_query("WWW.Example.com", "A", id=7)
BOUNDS = Bounds(64, 64, dns_timeout_us=10 * SECOND)


def query(message: dns.message.Message | bytes = QUESTION, client: tuple[str, int] = CLIENT) -> Packet:
    wire = message if isinstance(message, bytes) else message.to_wire()
    return ether() / IP(src=client[0], dst=SERVER[0]) / UDP(sport=client[1], dport=SERVER[1]) / wire


def response(message: dns.message.Message | bytes | None = None, client: tuple[str, int] = CLIENT) -> Packet:
    message = dns.message.make_response(QUESTION) if message is None else message
    wire = message if isinstance(message, bytes) else message.to_wire()
    return ether() / IP(src=SERVER[0], dst=client[0]) / UDP(sport=SERVER[1], dport=client[1]) / wire


def answer_to(ask: dns.message.Message, *records: str) -> dns.message.Message:
    message = dns.message.make_response(ask)
    message.answer = [dns.rrset.from_text(*record.split(" ", 4)) for record in records]
    return message


def one(seen: Collected) -> dict[str, object]:
    assert seen.dns.num_rows == 1, seen.dns.to_pylist()
    row: dict[str, object] = seen.dns.to_pylist()[0]
    return row


def test_an_answered_query() -> None:
    row = one(at([(0, query()), (0.0025, response(answer_to(QUESTION, "www.EXAMPLE.com. 60 IN A 192.0.2.1")))]))
    assert row["latency_us"] == 2500
    assert (row["client_ip"], row["client_port"], row["server_ip"], row["server_port"]) == (*CLIENT, *SERVER)
    assert (row["qname"], row["qtype"], row["qclass"], row["rcode"]) == ("www.example.com", "A", "IN", "NOERROR")
    assert row["answers"] == [{"name": "www.example.com", "type": "A", "ttl": 60, "data": "192.0.2.1"}]
    assert (row["outcome"], row["attempts"], row["id"], row["opcode"]) == ("answered", 1, 7, 0)
    assert (row["query_bytes"], row["response_bytes"]) == (len(QUESTION.to_wire()), len(QUESTION.to_wire()) + 16)
    assert row["start_time"] == row["query_time"] < row["response_time"]  # type: ignore[operator]


def test_a_query_nobody_answers() -> None:
    row = one(of([query()]))
    assert (row["outcome"], row["attempts"]) == ("unanswered", 1)
    for name in ("response_time", "latency_us", "rcode", "answers", "aa", "tc", "ra", "ad", "response_bytes"):
        assert row[name] is None


def test_unanswered_is_written_when_its_time_is_up() -> None:
    other = dns.message.make_query("other.example", "A", id=8)
    late = [(0, query()), (10.5, query(other)), (11, response()), (11.2, response(dns.message.make_response(other)))]
    told = [(row["qname"], row["outcome"]) for row in at(late, BOUNDS).dns.to_pylist()]
    assert told == [
        ("www.example.com", "unanswered"),
        ("www.example.com", "unsolicited"),
        ("other.example", "answered"),
    ]


def test_retries_are_attempts_of_one_transaction() -> None:
    row = one(at([(0, query()), (5, query()), (12, query()), (12.5, response())], BOUNDS))
    assert (row["attempts"], row["latency_us"], row["outcome"]) == (3, 12_500_000, "answered")


def test_a_query_repeated_after_its_response_is_one_more_attempt() -> None:
    row = one(at([(0, query()), (0.1, response()), (0.2, query()), (0.3, response())], BOUNDS))
    assert (row["attempts"], row["latency_us"]) == (2, 100_000)


def test_a_query_repeated_when_its_row_is_gone_is_a_new_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "DNS_ROWS", 7)
    other = dns.message.make_query("other.example", "A", id=8)
    frames = [query(), response(), query(other), response(dns.message.make_response(other)), query(), response()]
    assert of(frames).dns["attempts"].to_pylist() == [1, 1, 1]


def test_a_query_after_a_response_out_of_nowhere() -> None:
    rows = of([response(), query(), response()]).dns.to_pylist()
    assert [row["outcome"] for row in rows] == ["unsolicited", "answered"]
    assert (rows[0]["attempts"], rows[0]["query_time"], rows[0]["latency_us"]) == (0, None, None)
    assert rows[0]["query_bytes"] is None


def test_a_second_response_is_no_transaction() -> None:
    spoof = answer_to(QUESTION, "www.example.com. 60 IN A 203.0.113.66")
    row = one(of([query(), response(), response(spoof), response(spoof)]))
    assert (row["answers"], row["outcome"]) == ([], "answered")


@pytest.mark.parametrize(
    "other",
    [
        dns.message.make_query("www.example.org", "A", id=7),
        dns.message.make_query("www.example.com", "AAAA", id=7),
        dns.message.make_query("www.example.com", "A", id=8),
    ],
    ids=["name", "type", "id"],
)
def test_a_response_to_another_question_is_not_taken(other: dns.message.Message) -> None:
    rows = of([query(), response(dns.message.make_response(other))]).dns.to_pylist()
    assert sorted(row["outcome"] for row in rows) == ["unanswered", "unsolicited"]


def test_a_response_to_another_port_or_from_another_server_is_not_taken() -> None:
    elsewhere = ether() / IP(src="10.0.0.3", dst=CLIENT[0]) / UDP(sport=53, dport=CLIENT[1])
    wire = dns.message.make_response(QUESTION).to_wire()
    seen = of([query(), response(client=(CLIENT[0], 40001)), elsewhere / wire])
    assert sorted(row["outcome"] for row in seen.dns.to_pylist()) == ["unanswered", "unsolicited", "unsolicited"]


def test_the_case_of_a_name_does_not_matter() -> None:
    shouted = dns.message.make_query("wWw.eXample.COM", "A", id=7)
    assert one(of([query(), response(dns.message.make_response(shouted))]))["outcome"] == "answered"


def test_an_error_without_a_question_answers_by_its_id() -> None:
    refused = struct.pack(">HHHHHH", 7, 0x8001, 0, 0, 0, 0)
    row = one(of([query(), response(refused)]))
    assert (row["rcode"], row["outcome"], row["qname"]) == ("FORMERR", "answered", "www.example.com")
    alone = one(of([response(refused)]))
    assert (alone["qname"], alone["qtype"], alone["outcome"]) == (None, None, "unsolicited")


def test_an_error_without_a_question_finds_the_newest_of_a_few() -> None:
    refused = struct.pack(">HHHHHH", 7, 0x8001, 0, 0, 0, 0)
    others = [query(client=(CLIENT[0], port)) for port in range(2000, 2000 + LOOK_BACK)]
    for between, outcome in ((others[1:], "answered"), (others, "unsolicited")):
        seen = of([query(), *between, response(refused), response(refused)])
        assert [row["outcome"] for row in seen.dns.to_pylist() if row["rcode"] == "FORMERR"] == [outcome]


def test_a_query_that_timed_out_leaves_when_it_is_asked_again() -> None:
    wild = query(dns.message.make_query("wild.example", "A", id=9))
    seen = at([(1e6, wild), *[(when * 11, query()) for when in range(100)]], BOUNDS)
    assert seen.dns["attempts"].to_pylist() == [1] * 101
    assert seen.coverage["pending_overflows"].to_pylist() == [0]


def seconds_for(frames: list[bytes]) -> float:
    data = pcap(timed(frames, 1e-6))
    began = time.perf_counter()
    assert from_bytes(data, Bounds(1 << 10, 1 << 15)).dns.num_rows == len(frames)
    return time.perf_counter() - began


def test_many_names_asked_with_one_port_and_id_cost_what_other_queries_cost() -> None:
    asked = [message(b"\x05%05d\0" % number, b"\0\1\0\1", flags=0x0100)[2:] for number in range(20_000)]
    head = bytes(query(bytes(2) + asked[0]))[: -2 - len(asked[0])]
    one_id = [head + b"\0\7" + wire for wire in asked]
    many_ids = [head + struct.pack(">H", number) + wire for number, wire in enumerate(asked)]
    seconds_for(one_id[:10])
    assert seconds_for(one_id) < 10 * seconds_for(many_ids)


def test_both_addresses_of_one_name_asked_at_once() -> None:
    asks = [dns.message.make_query("a.example", kind, id=number) for number, kind in ((1, "A"), (2, "AAAA"))]
    seen = of([*map(query, asks), *[response(dns.message.make_response(ask)) for ask in asks[::-1]]])
    assert [(row["qtype"], row["outcome"]) for row in seen.dns.to_pylist()] == [("AAAA", "answered"), ("A", "answered")]


def test_flags_of_query_and_response() -> None:
    ask = dns.message.make_query("www.example.com", "A", id=7, flags=dns.flags.RD | dns.flags.CD)
    back = dns.message.make_response(ask)
    back.flags |= dns.flags.AA | dns.flags.TC | dns.flags.RA | dns.flags.AD
    row = one(of([query(ask), response(back)]))
    assert [row[name] for name in ("rd", "cd", "aa", "tc", "ra", "ad")] == [True] * 6


@pytest.mark.parametrize("code", ["NXDOMAIN", "SERVFAIL", "REFUSED", "BADVERS", "BADCOOKIE"])
def test_response_codes(code: str) -> None:
    back = dns.message.make_response(dns.message.make_query("www.example.com", "A", id=7, use_edns=0))
    back.set_rcode(dns.rcode.from_text(code))
    assert one(of([query(), response(back)]))["rcode"] == code


def test_numbers_without_a_word() -> None:
    ask = dns.message.make_query("x.example", 65280, rdclass=77, id=7)
    back = dns.message.make_response(ask)
    back.flags |= 14
    row = one(of([query(ask), response(back)]))
    assert (row["qtype"], row["qclass"], row["rcode"]) == ("TYPE65280", "CLASS77", "RCODE14")


def test_edns() -> None:
    options = [dns.edns.ECSOption("198.51.100.77", 24)]
    ask = dns.message.make_query(
        "www.example.com", "A", id=7, use_edns=0, payload=1232, want_dnssec=True, options=options
    )
    back = dns.message.make_response(ask)
    back.use_edns(0, options=[dns.edns.EDEOption(22, "no reachable authority"), dns.edns.EDEOption(23)])
    row = one(of([query(ask), response(back)]))
    assert (row["edns_udp_size"], row["edns_do"]) == (1232, True)
    assert (row["edns_client_subnet"], row["edns_error"]) == ("198.51.100.0/24", 22)


def test_no_edns() -> None:
    row = one(of([query(), response()]))
    assert row["edns_udp_size"] is row["edns_do"] is row["edns_client_subnet"] is row["edns_error"] is None


@pytest.mark.parametrize(("net", "text"), [("2001:db8:1234::", "2001:db8:1200::/40"), ("::", "::/40")])
def test_client_subnet_of_ipv6(net: str, text: str) -> None:
    ask = dns.message.make_query("x.example", "A", use_edns=0, options=[dns.edns.ECSOption(net, 40)])
    assert one(of([query(ask)]))["edns_client_subnet"] == text


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


def message(*parts: bytes, flags: int = 0x8180, questions: int = 1, answers: int = 0) -> bytes:
    return struct.pack(">HHHHHH", 7, flags, questions, answers, 0, 0) + b"".join(parts)


ASKED = b"\x03www\x07example\x03com\0\0\x01\0\x01"


def record(kind: int, data: bytes, name: bytes = b"\xc0\x0c", size: int | None = None) -> bytes:
    return name + struct.pack(">HHIH", kind, 1, 60, len(data) if size is None else size) + data


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
    loop = record(1, b"\1\2\3\4", struct.pack(">H", 0xC000 | at_loop + 2) + struct.pack(">H", 0xC000 | at_loop)[:0])
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


def test_a_full_table_ends_the_oldest_query() -> None:
    frames = [query(client=(CLIENT[0], port)) for port in range(2000, 2100)]
    seen = of(frames, bounds=Bounds(256, 16))
    assert seen.dns["outcome"].to_pylist() == ["unanswered"] * 100
    assert seen.coverage["pending_overflows"].to_pylist() == [84]


def test_many_expire_at_once_and_one_of_them_is_asked_again() -> None:
    frames = [(port / 1e6, query(client=(CLIENT[0], port))) for port in range(2000, 2040)]
    rows = at([*frames, (60, query(client=(CLIENT[0], 2039))), (60.1, response(client=(CLIENT[0], 2039)))], BOUNDS).dns
    assert sorted(rows["outcome"].to_pylist()) == ["answered"] + ["unanswered"] * 40
    assert set(rows["attempts"].to_pylist()) == {1}


def test_one_wild_timestamp_does_not_end_every_query() -> None:
    wild = query(dns.message.make_query("wild.example", "A", id=9))
    rows = at([(1e8, wild), (0, query()), (0.1, response())], BOUNDS).dns.to_pylist()
    assert {row["qname"]: row["outcome"] for row in rows}["www.example.com"] == "answered"


def test_other_ports_are_no_dns() -> None:
    seen = of([ether() / IP(src="10.0.0.1", dst="10.0.0.2") / UDP(sport=5353, dport=5353) / QUESTION.to_wire()])
    assert seen.dns.num_rows == 0


def test_dns_inside_a_tunnel_over_ipv6() -> None:
    from scapy.layers.inet6 import IPv6
    from scapy.layers.vxlan import VXLAN

    inner = ether() / IPv6(src="fd00::1", dst="fd00::53") / UDP(sport=4000, dport=53) / QUESTION.to_wire()
    row = one(of([ether() / IP() / UDP(dport=8472) / VXLAN(vni=1, flags=8) / inner]))
    assert (row["client_ip"], row["server_ip"]) == ("fd00::1", "fd00::53")
