"""Live capture against a recording of the same packets, on veth pairs between namespaces of the test's own."""

import socket
from collections import Counter
from collections.abc import Iterator

import pytest

from collector.warm import warm_up
from tests.support import quic_samples
from tests.support.frames import Collected, from_bytes, pcap
from tests.support.hellos import client_hello, tls_record
from tests.support.live import Live, Recording, live
from tests.support.messages import over_tcp, query, response
from tests.support.namespaces import inside, namespaces, required, wire

pytestmark = pytest.mark.service

LEFT, RIGHT = "10.231.7.1", "10.231.7.2"
LEFT6, RIGHT6 = "fd00:7::1", "fd00:7::2"
MOST_AT_ONCE = 100_000
FLOW = ("src_ip", "src_port", "dst_ip", "dst_port", "protocol", "src_packets", "dst_packets", "src_bytes", "dst_bytes")
SHOWN = (
    "src_tcp_flags",
    "dst_tcp_flags",
    "connection_state",
    "application",
    "tls_sni",
    "tls_version",
    "icmp_type",
    "vlan",
)
DNS = ("client_ip", "client_port", "server_ip", "transport", "id", "qname", "rcode", "outcome", "attempts")


@pytest.fixture(scope="module")
def ends() -> Iterator[tuple[str, str]]:
    required()
    warm_up()
    with namespaces("a", "b") as (a, b):
        wire(a, b, "eth0", "10.231.7")
        yield a, b


def exchange(a: str, b: str, server: str, port: int, sent: bytes, answer: bytes) -> None:
    """One TCP connection."""
    with inside(b):
        family = socket.AF_INET6 if ":" in server else socket.AF_INET
        listening = socket.create_server((server, port), family=family)
    with inside(a):
        client = socket.create_connection((server, port), timeout=10)
    with listening, client:
        accepted, _ = listening.accept()
        with accepted:
            send(client, accepted, sent)
            send(accepted, client, answer)


def send(sender: socket.socket, receiver: socket.socket, octets: bytes) -> None:
    """Some at a time, as nobody reads meanwhile."""
    for at in range(0, len(octets), MOST_AT_ONCE):
        part = octets[at : at + MOST_AT_ONCE]
        sender.sendall(part)
        left = len(part)
        while left:
            left -= len(receiver.recv(left))


def ask(a: str, b: str, server: str, sent: bytes, answer: bytes, port: int = 53) -> None:
    """One UDP datagram, and the answer if there is one."""
    family = socket.AF_INET6 if ":" in server else socket.AF_INET
    with inside(b):
        serving = socket.socket(family, socket.SOCK_DGRAM)
    with inside(a):
        client = socket.socket(family, socket.SOCK_DGRAM)
    with serving, client:
        serving.bind((server, port))
        client.sendto(sent, (server, port))
        _, sender = serving.recvfrom(1 << 16)
        if answer:
            serving.sendto(answer, sender)
            client.recvfrom(1 << 16)


def traffic(a: str, b: str) -> None:
    for server in (RIGHT, RIGHT6):
        exchange(a, b, server, 8080, b"GET", b"x" * 3_000_000)
        exchange(a, b, server, 443, tls_record(client_hello("live.example", padding=1500)), b"y" * 300)
        exchange(a, b, server, 53, over_tcp(query(1, "tcp.example")), over_tcp(response(1, "tcp.example", text=9)))
        ask(a, b, server, query(2, "udp.example"), response(2, "udp.example", text=4))
        ask(a, b, server, query(3, "fragments.example"), response(3, "fragments.example", text=12))
        ask(a, b, server, query(4, "silent.example"), b"")
        ask(a, b, server, quic_samples.INITIAL_V1, b"", port=443)
        ask(a, b, server, b"z" * 600, b"z" * 600, port=9999)


def counted(seen: Live | Collected, table: str, columns: tuple[str, ...]) -> Counter[tuple[object, ...]]:
    """Rows of IPv4 and IPv6 that the test sent, as often as they occur: not what the kernels say to each other."""
    rows = (seen.table(table) if isinstance(seen, Live) else getattr(seen, table)).to_pylist()
    mine = [row for row in rows if row.get("protocol", 0) != 58]
    return Counter(tuple(row[column] for column in columns) for row in mine)


def test_the_records_are_those_of_a_recording(ends: tuple[str, str]) -> None:
    a, b = ends
    with live(a, ["eth0"], interval=10_000_000) as capture, Recording(a, "eth0") as recording:
        traffic(a, b)
    whole = from_bytes(pcap(recording.frames))
    assert counted(capture, "flows", FLOW + SHOWN) == counted(whole, "flows", FLOW + SHOWN)
    assert counted(capture, "dns", DNS) == counted(whole, "dns", DNS)
    assert capture.total("kernel_drops") == capture.total("ring_freezes") == 0
    assert capture.total("cut_packets") > 0
    assert {row["interface"] for row in capture.rows("flows")} == {"eth0"}
    assert {row["tls_sni"] for row in capture.rows("flows")} >= {"live.example", "example.com"}
    assert sum(row["outcome"] == "answered" for row in capture.rows("dns")) == 6
