"""DNS messages of one client and one server as packets, and the one transaction that comes of them."""

import struct

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdatatype
import dns.rrset
from scapy.layers.inet import IP, UDP
from scapy.packet import Packet

from tests.support.frames import Collected, ether

CLIENT, SERVER = ("10.0.0.1", 40000), ("10.0.0.2", 53)
QUESTION = dns.message.make_query("WWW.Example.com", "A", id=7)


def message(
    *parts: bytes, flags: int = 0x8180, questions: int = 1, answers: int = 0, authorities: int = 0, additional: int = 0
) -> bytes:
    return struct.pack(">HHHHHH", 7, flags, questions, answers, authorities, additional) + b"".join(parts)


ASKED = b"\x03www\x07example\x03com\0\0\x01\0\x01"


def record(kind: int, data: bytes, name: bytes = b"\xc0\x0c", size: int | None = None, ttl: int = 60) -> bytes:
    return name + struct.pack(">HHIH", kind, 1, ttl, len(data) if size is None else size) + data


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
