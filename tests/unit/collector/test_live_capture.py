"""Live capture against a recording of the same packets, on veth pairs between namespaces of the test's own."""

import socket
from collections import Counter
from collections.abc import Iterable, Iterator

import pytest

from collector.kernels.layout import TAG_BYTES
from collector.kernels.state import Bounds
from collector.live import EACH
from collector.sources.filter import Lengths, capture_filter
from collector.sources.opening import attach, open_packets
from collector.sources.ring import Size
from collector.warming import warm
from tests.support import quic_samples
from tests.support.filtered import CASES, tagged
from tests.support.frames import Collected, from_bytes, pcap
from tests.support.hellos import client_hello, tls_record
from tests.support.live import Live, Recording, live, wait_until
from tests.support.messages import over_tcp, query, response
from tests.support.namespaces import inside, ip, namespaces, required, wire

pytestmark = pytest.mark.service

LEFT, RIGHT = "10.231.7.1", "10.231.7.2"
LEFT6, RIGHT6 = "fd00:7::1", "fd00:7::2"
MOST_AT_ONCE = 100_000
TAGS = (b"\x81\0", b"\x88\xa8")  # that the kernel takes out
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
    warm()
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
    with live(a, "eth0", interval=10_000_000) as capture, Recording(a, "eth0") as recording:
        traffic(a, b)
    whole = from_bytes(pcap(recording.frames))
    assert counted(capture, "flows", FLOW + SHOWN) == counted(whole, "flows", FLOW + SHOWN)
    assert counted(capture, "dns", DNS) == counted(whole, "dns", DNS)
    assert capture.total("kernel_drops") == capture.total("ring_freezes") == 0
    assert capture.total("cut_packets") > 0
    assert {row["interface"] for row in capture.rows("flows")} == {"eth0"}
    assert {row["tls_sni"] for row in capture.rows("flows")} >= {"live.example", "example.com"}
    assert sum(row["outcome"] == "answered" for row in capture.rows("dns")) == 6


@pytest.mark.parametrize(("server", "header"), [(RIGHT, 52), (RIGHT6, 72)], ids=["IPv4", "IPv6"])
def test_a_packet_that_is_yet_to_be_segmented_counts_its_octets(
    ends: tuple[str, str], server: str, header: int
) -> None:
    """With timestamps TCP has 12 octets of options, in a SYN 20."""
    a, b = ends
    with live(a, "eth0") as capture:
        exchange(a, b, server, 8081, b"GET", b"x" * 3_000_000)
    (flow,) = [row for row in capture.rows("flows") if row["dst_port"] == 8081]
    assert flow["dst_retransmits"] == 0
    assert flow["dst_packets"] < 3_000_000 // 1448
    assert flow["dst_bytes"] == 3_000_000 + header * flow["dst_packets"] + 8


def test_the_kernel_takes_what_the_filter_says(ends: tuple[str, str]) -> None:
    """Marked by their destination, as the kernels of both namespaces have something to say too."""
    a, b = ends
    mark = bytes.fromhex("02000000feed")
    with inside(a):
        taking = open_packets()
    with taking:
        attach(taking, capture_filter(Lengths((53, 5353)), [], []))
        taking.settimeout(10)
        for name, case in CASES.items():
            send_frames(b, [mark + case.frame[6:]])
            octets = taking.recv(1 << 16)
            while octets[:6] != mark:
                octets = taking.recv(1 << 16)
            arrived = len(case.frame) - (TAG_BYTES if case.frame[12:14] in TAGS else 0)
            assert len(octets) == min(case.taken, arrived), name


def test_a_vlan_is_told_though_the_kernel_takes_the_tag_out(ends: tuple[str, str]) -> None:
    a, b = ends
    frames = [
        tagged(CASES["dns query"].frame, *tags) for tags in (((0x8100, 7),), ((0x88A8, 8), (0x8100, 9)), ((0x8100, 0),))
    ]
    with live(a, "eth0") as capture:
        send_frames(b, frames)
    mine = [row for row in capture.rows("flows") if row["dst_port"] == 53]
    assert sorted((row["vlan"] or 0) for row in mine) == [0, 7, 9]
    (coverage,) = [row for row in capture.rows("coverage") if row["interface"] == "eth0"]
    assert coverage["bytes"] >= sum(map(len, frames))


def send_frames(namespace: str, frames: Iterable[bytes]) -> None:
    with inside(namespace):
        sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    with sender:
        sender.bind(("eth0", 0))
        for frame in frames:
            sender.send(frame)


def test_both_directions_of_loopback_count_once(ends: tuple[str, str]) -> None:
    a, _ = ends
    with live(a, "lo") as capture:
        ask(a, a, "127.0.0.1", b"q" * 100, b"a" * 50, port=9999)
    seen = counted(capture, "flows", ("interface", "src_packets", "dst_packets", "src_bytes", "dst_bytes"))
    assert seen == {("lo", 1, 1, 128, 78): 1}


def test_interfaces_come_go_and_come_again(ends: tuple[str, str]) -> None:
    """A connection of the same ends through another interface of the same name is another flow."""
    a, b = ends
    with live(a, "pod*", "!pod-not") as capture:
        for _ in range(2):
            for name, net in (("pod1", "10.231.11"), ("pod-not", "10.231.12")):
                wire(a, b, name, net)
                say(a, b, f"{net}.2", 7777)
            ip("-n", a, "link", "del", "pod1")
            ip("-n", a, "link", "del", "pod-not")
    mine = [row for row in capture.rows("flows") if row["dst_port"] == 7777]
    assert [(row["interface"], row["src_packets"]) for row in mine] == [("pod1", 1)] * 2


def test_an_interface_that_is_renamed_is_another(ends: tuple[str, str]) -> None:
    a, b = ends
    wire(a, b, "was", "10.231.13")
    with live(a) as capture:
        say(a, b, "10.231.13.2", 7777)
        wait_until(lambda: capture.total("packets") > 0, "nothing was captured")
        ip("-n", a, "link", "set", "was", "name", "is")
        say(a, b, "10.231.13.2", 7777)
    mine = [row for row in capture.rows("flows") if row["dst_port"] == 7777]
    assert sorted((row["interface"], row["src_packets"]) for row in mine) == [("is", 1), ("was", 1)]


def say(a: str, b: str, to: str, port: int) -> None:
    """One datagram always from the same port, which has arrived then."""
    with inside(a):
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with inside(b):
        receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with sender, receiver:
        receiver.settimeout(10)
        receiver.bind((to, port))
        sender.bind(("", 6666))
        sender.sendto(b"one", (to, port))
        receiver.recv(10)


def test_flows_and_queries_end_though_no_packet_comes(ends: tuple[str, str]) -> None:
    a, b = ends
    bounds = Bounds(64, 64, idle_us=300_000, dns_timeout_us=200_000)
    with live(a, "eth0", bounds=bounds) as capture:
        ask(a, b, RIGHT, query(9, "late.example"), b"")
        wait_until(lambda: bool(to_dns(capture) and capture.rows("dns")), "flow and query were not written")
        assert not capture.stop.is_set()
    (row,) = capture.rows("dns")
    assert (row["qname"], row["outcome"]) == ("late.example", "unanswered")
    assert [flow["end_reason"] for flow in to_dns(capture)] == ["idle"]


def to_dns(capture: Live) -> list[dict[str, object]]:
    return [row for row in capture.rows("flows") if row["dst_port"] == 53]


def test_threads_share_the_packets(ends: tuple[str, str]) -> None:
    """Each connection is one thread's, both ways; also where its queries came in fragments of IPv4."""
    a, b = ends
    with live(a, "eth0", threads=2, interval=10_000_000) as capture, Recording(a, "eth0") as recording:
        for number in range(20):
            exchange(a, b, RIGHT6 if number % 2 else RIGHT, 8080, b"GET", b"x" * 5000)
            ask(a, b, RIGHT, query(number, "a.example"), response(number, "a.example", text=12))
    single = from_bytes(pcap(recording.frames))
    connections = ("src_ip", "src_port", "dst_ip", "dst_port", "src_packets", "src_bytes")
    assert counted(capture, "flows", connections) == counted(single, "flows", connections)
    assert counted(capture, "dns", DNS) == counted(single, "dns", DNS)
    of_all = [row for row in capture.rows("coverage") if row["interface"] is None]
    shares = [row["packets"] for row in capture.rows("coverage") if row["interface"] == "eth0"]
    assert len(of_all) == 2
    assert len(shares) == 2
    assert min(shares) > 0


def test_what_does_not_fit_into_the_ring_is_counted(ends: tuple[str, str]) -> None:
    """Nothing is read while more is sent than has room."""
    a, b = ends
    sent = 40_000
    with inside(a):
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with sender, live(a, "eth0", size=Size(1 << 16, 4), interval=1_000_000_000) as capture:
        capture.going.clear()
        for number in range(sent):
            sender.sendto(b"x" * 100, (RIGHT, 1 + number % 60_000))
        capture.going.set()
    flows = [row for row in capture.rows("flows") if row["dst_ip"] == RIGHT and row["protocol"] == 17]
    arrived = sum(row["src_packets"] for row in flows)
    assert capture.total("kernel_drops") > 0
    assert capture.total("ring_freezes") > 0
    assert arrived < sent <= arrived + capture.total("kernel_drops")


def test_each_interface_is_told_of_now_and_then_and_no_packet_is_left_out(ends: tuple[str, str]) -> None:
    """What goes wrong in all of them together is told after every interval."""
    a, b = ends
    with live(a, "eth0", interval=100_000) as capture:
        for wanted in (1, EACH + 2):
            wait_until(lambda least=wanted: capture.intervals() >= least, "no interval ended")
            exchange(a, b, RIGHT, 8082, b"x", b"y")
    rows = capture.rows("coverage")
    whole, each = ([row for row in rows if (row["interface"] is None) is nothing] for nothing in (True, False))
    assert len(whole) == capture.intervals() > EACH
    assert 2 <= len(each) <= 2 + len(whole) // EACH
    in_flows = capture.table("flows")
    taken = sum(sum(in_flows[column].to_pylist()) for column in ("src_packets", "dst_packets"))
    assert capture.total("packets") == taken + sum(count for row in rows for _, count in row["discarded"] or ())
