"""DNS transactions: which messages belong together, and what is told of them."""

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

from collector.kernels import state
from collector.kernels.state import Bounds
from collector.kernels.transactions import LOOK_BACK
from tests.support.frames import SECOND, at, ether, from_bytes, of, pcap, timed
from tests.support.transactions import CLIENT, QUESTION, SERVER, answer_to, message, one, query, response

BOUNDS = Bounds(64, 64, dns_timeout_us=10 * SECOND)


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
