"""DNS messages (RFC 1035) as a cluster's resolver sees them, built once; a trace copies them and fills in what differs."""

import random
import struct
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

A, CNAME, SOA, PTR, MX, TXT, AAAA, SRV, OPT = 1, 5, 6, 12, 15, 16, 28, 33, 41
NXDOMAIN = 3
HEADER = 12
DIGITS = slice(HEADER + 1, HEADER + 9)  # of a name whose first label is another one in each transaction
SELF = b"\xc0\x0c"  # a pointer to the name asked for
WORDS = [
    "auth",
    "billing",
    "cart",
    "catalog",
    "checkout",
    "email",
    "events",
    "gateway",
    "images",
    "ledger",
    "orders",
    "payments",
    "search",
    "stock",
    "users",
]  # noqa: SIM905
NAMESPACES = ["shop", "platform", "data", "edge", "monitoring", "batch"]
DOMAINS = ["example.com", "example.net", "example.org", "cdn.example.com", "objects.example.net"]

Record = tuple[bytes, int, int, bytes]  # name, type, ttl, data


class Templates(NamedTuple):
    """One row a kind of transaction; ``varied``: its first label is filled in for each."""

    query: np.ndarray
    query_size: np.ndarray
    response: np.ndarray
    response_size: np.ndarray
    varied: np.ndarray


class Reply(NamedTuple):
    name: str
    qtype: int
    records: list[Record]
    rcode: int = 0
    varied: bool = False


def templates(seed: int, count: int) -> Templates:
    chance = random.Random(seed)
    kinds: list[Callable[[random.Random], Reply]] = [
        service,
        service,
        search,
        search,
        external,
        external,
        pointer,
        other,
    ]
    replies = [kinds[number % len(kinds)](chance) for number in range(count)]
    edns = [chance.random() < 0.5 for _ in replies]
    queries, query_size = _matrix(
        [_message(reply, with_opt, False) for reply, with_opt in zip(replies, edns, strict=True)]
    )
    responses, response_size = _matrix(
        [_message(reply, with_opt, True) for reply, with_opt in zip(replies, edns, strict=True)]
    )
    return Templates(queries, query_size, responses, response_size, np.array([reply.varied for reply in replies]))


def service(chance: random.Random) -> Reply:
    """A Service: one address, or those of a headless one's pods."""
    name = f"{chance.choice(WORDS)}-{chance.randrange(100)}.{chance.choice(NAMESPACES)}.svc.cluster.local"
    if chance.random() < 0.4:
        return Reply(name, AAAA, [])
    return Reply(name, A, [_address(chance, SELF, 30) for _ in range(chance.choice((1, 1, 1, 3, 8)))])


def search(chance: random.Random) -> Reply:
    """A name that the search path of resolv.conf made, which is not there."""
    name = f"{chance.choice(WORDS)}.{chance.choice(DOMAINS)}.{chance.choice(NAMESPACES)}.svc.cluster.local"
    return Reply(name, chance.choice((A, AAAA)), [], rcode=NXDOMAIN)


def external(chance: random.Random) -> Reply:
    """A name outside, behind up to two CNAMEs; half of them differ in each transaction."""
    domain, varied = chance.choice(DOMAINS), chance.random() < 0.5
    first = "00000000" if varied else f"{chance.choice(WORDS)}{chance.randrange(1000)}"
    records, owner = [], SELF
    for step in range(chance.randrange(3)):
        target = wire_name(f"edge{chance.randrange(100)}-{step}.{domain}")
        records.append((owner, CNAME, 300, target))
        owner = target
    six = chance.random() < 0.4
    records += [_address(chance, owner, 60, six) for _ in range(chance.randrange(1, 5))]
    return Reply(f"{first}.{domain}", AAAA if six else A, records, varied=varied)


def pointer(chance: random.Random) -> Reply:
    address = [chance.randrange(256) for _ in range(3)]
    target = wire_name(f"{chance.choice(WORDS)}.{chance.choice(NAMESPACES)}.svc.cluster.local")
    return Reply(".".join(map(str, address)) + ".10.in-addr.arpa", PTR, [(SELF, PTR, 30, target)])


def other(chance: random.Random) -> Reply:
    domain = chance.choice(DOMAINS)
    kind = chance.choice((SRV, TXT, MX))
    if kind == SRV:
        name = f"_http._tcp.{chance.choice(WORDS)}.{chance.choice(NAMESPACES)}.svc.cluster.local"
        data = struct.pack(">HHH", 0, 50, 8080) + wire_name(f"pod-{chance.randrange(100)}.{domain}")
    elif kind == TXT:
        name, text = domain, f"v=spf1 ip4:192.0.2.{chance.randrange(256)} include:{domain} -all".encode()
        data = bytes([len(text)]) + text
    else:
        name, data = domain, struct.pack(">H", 10) + wire_name(f"mx{chance.randrange(10)}.{domain}")
    return Reply(name, kind, [(SELF, kind, 3600, data)] * chance.choice((1, 2)))


def wire_name(name: str) -> bytes:
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def _address(chance: random.Random, owner: bytes, ttl: int, six: bool = False) -> Record:
    return (owner, AAAA, ttl, b"\xfd" + chance.randbytes(15)) if six else (owner, A, ttl, chance.randbytes(4))


def _message(reply: Reply, with_opt: bool, response: bool) -> bytes:
    """A query, or its response; the id is filled in later. What has no answer has the zone's SOA (RFC 2308 §2)."""
    answers = reply.records if response else []
    authority = [(wire_name("cluster.local"), SOA, 5, _soa())] if response and not reply.records else []
    additional = [(b"\0", OPT, 0, b"")] if with_opt else []
    flags = 0x8180 | reply.rcode if response else 0x0100
    head = struct.pack(">HHHHHH", 0, flags, 1, len(answers), len(authority), len(additional))
    question = wire_name(reply.name) + struct.pack(">HH", reply.qtype, 1)
    return head + question + b"".join(_record(record) for record in [*answers, *authority, *additional])


def _record(record: Record) -> bytes:
    name, kind, ttl, data = record
    return name + struct.pack(">HHIH", kind, 1232 if kind == OPT else 1, ttl, len(data)) + data


def _soa() -> bytes:
    return (
        wire_name("ns.dns.cluster.local")
        + wire_name("admin.cluster.local")
        + struct.pack(">5I", 1, 7200, 1800, 86400, 5)
    )


def _matrix(messages: list[bytes]) -> tuple[np.ndarray, np.ndarray]:
    rows = np.zeros((len(messages), max(map(len, messages))), np.uint8)
    for row, message in zip(rows, messages, strict=True):
        row[: len(message)] = np.frombuffer(message, np.uint8)
    return rows, np.array([len(message) for message in messages])
