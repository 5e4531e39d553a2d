"""Translated connections out of the kernel's messages, and into flows."""

import socket
import struct
import subprocess
import sys
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from collector.conntrack import KNOWN, TRANSLATED, Translations, room, table_of
from collector.kernels.conntrack import walk_conntrack
from contract.flows import FLOWS
from tests.unit.enricher.cluster import flow, flows

POD, NODE, OUTSIDE = ("10.1.0.5", 40000), ("192.168.0.1", 61000), ("203.0.113.9", 443)
SRC_NAT, CONFIRMED = 1 << 4, 1 << 3
ROOT = Path(__file__).parents[3]
Place = tuple[str, int]


def attribute(kind: int, value: bytes, nested: bool = False) -> bytes:
    header = struct.pack("<HH", 4 + len(value), kind | (0x8000 if nested else 0))
    return header + value + bytes(-len(value) % 4)


def ends(kind: int, src: Place, dst: Place, protocol: int = 6) -> bytes:
    first = 1 if ip_address(src[0]).version == 4 else 3
    ips = b"".join(attribute(first + n, ip_address(one[0]).packed) for n, one in enumerate((src, dst)))
    ports = b"".join(attribute(2 + n, struct.pack(">H", one[1])) for n, one in enumerate((src, dst)))
    proto = attribute(1, bytes([protocol])) + (ports if protocol != 1 else attribute(4, b"\0\7"))
    return attribute(kind, attribute(1, ips, nested=True) + attribute(2, proto, nested=True), nested=True)


def told(src: Place, dst: Place, reply_from: Place, reply_to: Place, **more: Any) -> bytes:
    """A message of a new connection."""
    protocol = more.get("protocol", 6)
    body = ends(1, src, dst, protocol) + ends(2, reply_from, reply_to, protocol)
    body += attribute(3, struct.pack(">I", more.get("status", SRC_NAT | CONFIRMED)))
    if "begun_ns" in more:
        body += attribute(20, attribute(1, struct.pack(">Q", more["begun_ns"])), nested=True)
    return message(1 << 8, struct.pack("<BBH", socket.AF_INET, 0, 0) + body)


def message(kind: int, body: bytes) -> bytes:
    return struct.pack("<IHHII", 16 + len(body), kind, 0, 0, 0) + body


def read(said: bytes, now_us: int = 0) -> tuple[list[dict[str, Any]], int]:
    """What is known after some messages, and whether a dump ended."""
    tracked = room(8)
    count, at, ended = walk_conntrack(np.frombuffer(said + bytes(8), np.uint8).copy(), 0, len(said), tracked)
    assert at >= len(said) or count == 8
    rows: list[dict[str, Any]] = table_of(tracked, count, now_us).to_pylist()
    return rows, ended


MASQUERADED = told(POD, OUTSIDE, OUTSIDE, NODE)


def test_a_masqueraded_connection() -> None:
    ((row,), ended) = read(MASQUERADED, 7)
    assert row == {
        "key": "10.1.0.5|40000|203.0.113.9|443|6",
        "from_us": 7,
        "src_nat_ip": NODE[0],
        "src_nat_port": NODE[1],
        "dst_nat_ip": None,
        "dst_nat_port": None,
    }
    assert not ended


def test_when_it_began_and_the_end_of_a_dump() -> None:
    (row,), ended = read(told(POD, OUTSIDE, OUTSIDE, NODE, begun_ns=5_000_000) + message(3, bytes(4)), 7)
    assert (row["from_us"], ended) == (5_000, 1)


def test_both_ends_translated_and_ipv6() -> None:
    service, behind, source = ("fd00::a", 80), ("fd00::6", 8080), ("fd00::1", 61000)
    ((row,), _) = read(told(("fd00::5", 1), service, behind, source))
    assert row["key"] == "fd00::5|1|fd00::a|80|6"
    assert [row[name] for name in TRANSLATED] == ["fd00::1", 61000, "fd00::6", 8080]


def test_a_protocol_without_ports() -> None:
    ((row,), _) = read(told(POD, OUTSIDE, OUTSIDE, NODE, protocol=1))
    assert (row["key"], row["src_nat_ip"], row["src_nat_port"]) == ("10.1.0.5||203.0.113.9||1", NODE[0], None)


def test_what_was_not_translated_is_passed_over() -> None:
    rows, _ = read(told(POD, OUTSIDE, OUTSIDE, POD, status=CONFIRMED) + message(1 << 8 | 2, bytes(4)) + MASQUERADED)
    assert len(rows) == 1


def test_a_message_cut_anywhere_tells_nothing_wrong() -> None:
    (whole,), _ = read(MASQUERADED)
    for size in range(len(MASQUERADED)):
        assert read(MASQUERADED[:size])[0] == []
        body = MASQUERADED[16:size] if size > 16 else b""
        assert read(message(1 << 8, body))[0] in ([], [whole])


def test_lengths_that_lie_end_the_reading() -> None:
    for at in range(0, len(MASQUERADED), 4):
        for length in (0, 3, 0xFFFF):
            said = MASQUERADED[:at] + struct.pack("<H", length) + MASQUERADED[at + 2 :]
            assert len(read(said)[0]) <= 1


def known(*rows: tuple[str, int, int]) -> pa.Table:
    """Of the pod: protocol's number as text, when it began in seconds after noon, and the port that it got."""
    noon = int(flow("1.1.1.1:1", "1.1.1.1:1")["start_time"].timestamp())
    nothing = {"src_nat_ip": NODE[0], "dst_nat_ip": None, "dst_nat_port": None}
    told_rows = [
        {"key": key, "from_us": int((noon + begun) * 1_000_000), "src_nat_port": number, **nothing}
        for key, begun, number in rows
    ]
    return pa.Table.from_pylist(told_rows, schema=KNOWN)


KEY = "10.1.0.5|40000|203.0.113.9|443|6"


def completed(translations: Translations, *starts: float, started: bool = True) -> list[int | None]:
    rows = (flow("10.1.0.5:40000", "203.0.113.9:443", start, started=started) for start in starts)
    batch = flows(*rows).to_batches()[0]
    found = translations.complete(batch)
    FLOWS.validate(found, FLOWS.collected)
    numbers: list[int | None] = found["src_nat_port"].to_pylist()
    return numbers


def test_a_flow_has_the_translation_of_its_time() -> None:
    translations = Translations()
    assert completed(translations, 5) == [None]
    translations.add(known((KEY, 0, 61000), (KEY, 100, 62000), ("10.1.0.6|40000|203.0.113.9|443|6", 100, 63000)))
    assert completed(translations, 5, 150, -50, 99) == [61000, 62000, None, 62000], "a second late, at most two"


def test_a_port_that_is_used_again_at_once_has_the_translation_of_each() -> None:
    """Told 0.2 s late, of connections that are 1.4 s apart; the record of one that goes on has what it had."""
    translations = Translations()
    translations.add(known((KEY, 0.2, 61000), (KEY, 1.6, 62000), ("another", 0.1, 1)))
    assert completed(translations, 0, 1.4, 30) == [61000, 62000, 62000]
    assert completed(translations, 1.65, 30, started=False) == [62000, 62000]
    assert completed(translations, -1, -5, started=False) == [61000, None]


def test_the_least_recently_seen_are_given_up() -> None:
    translations = Translations(most=2)
    translations.add(known((KEY, 0, 61000), ("another", 1, 1)))
    assert completed(translations, 50) == [61000]
    translations.add(known(("one more", 2, 2)))
    assert completed(translations, 50) == [61000]
    assert (len(translations), translations.given_up) == (2, 1)


def test_without_the_privilege_it_is_said_what_is_missing() -> None:
    program = (
        "from collector.privileges import drop_privileges; from collector.sources.conntrack import open_conntrack\n"
        "drop_privileges()\ntry: open_conntrack()\nexcept Exception as error: print(type(error).__name__, error)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("MachineError translated connections are told by comparing records: ")
