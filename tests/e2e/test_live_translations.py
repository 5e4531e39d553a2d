"""What netfilter translates, between namespaces of the test's own, is in the lake as it was: each connection once, by its pods."""

import json
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Thread

import pyarrow as pa
import pytest

from collector.conntrack import Tracking
from collector.sources.conntrack import open_conntrack
from enricher.directory import Directory
from enricher.enrich import enrich
from store.lake import Lake
from tests.support.live import Live, live
from tests.support.namespaces import inside, ip, namespaces, required, wire
from tests.unit.enricher.cluster import directory, dns, endpoints, node, pod, port, service

WEB, FAR, OUTSIDE, NODE = "10.1.0.2", "10.1.1.2", "203.0.113.2", "203.0.113.1"
API, OWN, NODE_PORT, TARGET, HTTPS = "10.96.0.7", "10.96.0.8", 30080, 8080, 443
PATIENCE_S = 10
RULES = f"""
table ip kube {{
    chain services {{
        type nat hook prerouting priority dstnat;
        ip daddr {NODE} tcp dport {NODE_PORT} dnat to {FAR}:{TARGET}
        ip daddr {API} tcp dport 80 dnat to {FAR}:{TARGET}
        ip daddr {OWN} tcp dport 80 dnat to {WEB}:{TARGET}
    }}
    chain sources {{
        type nat hook postrouting priority srcnat;
        oifname eth0 ip saddr 10.1.0.0/24 masquerade fully-random
        oifname eth1 ip saddr {OUTSIDE} masquerade fully-random
        ip saddr {WEB} ip daddr {WEB} masquerade
    }}
}}
"""
# Who calls, from where, whom: so many times.
CALLS = (
    ("web", "web", (OUTSIDE, HTTPS), 5),
    ("outside", "out", (NODE, NODE_PORT), 4),
    ("web by its Service", "web", (OWN, 80), 2),
    ("web by the Service", "web", (API, 80), 3),
    ("the node", "n1", (OUTSIDE, HTTPS), 2),
)
TRUTH = {
    ("pod", "web", "external", None): 5,
    ("external", None, "pod", "far"): 4,
    ("pod", "web", "pod", "web"): 2,
    ("pod", "web", "pod", "far"): 3,
    ("node", None, "external", None): 2,
}

pytestmark = pytest.mark.service


@pytest.fixture
def read(tmp_path: Path) -> Directory:
    nodes = [node(f"n{number}", f"192.168.0.{number}", f"10.1.{number - 1}.0/24") for number in (1, 2)]
    nodes[0]["status"]["addresses"].append({"type": "ExternalIP", "address": NODE})
    web, far = pod("web", WEB, node="n1"), pod("far", FAR, node="n2")
    services = [service("api", API, port(80, nodePort=NODE_PORT)), service("own", OWN, port(80))]
    slices = [endpoints("api", [port(TARGET)], far), endpoints("own", [port(TARGET)], web)]
    return directory(tmp_path, *nodes, web, far, *services, *slices)


@contextmanager
def cluster() -> Iterator[dict[str, str]]:
    """Two nodes with a pod each, the first of which translates for all; and somebody outside."""
    with namespaces("n1", "n2", "web", "far", "out") as made:
        names = dict(zip(("n1", "n2", "web", "far", "out"), made, strict=True))
        for left, right, name, net in (
            ("n1", "out", "eth0", "203.0.113"),
            ("n1", "n2", "eth1", "192.168.0"),
            ("n1", "web", "veth0", "10.1.0"),
            ("n2", "far", "veth0", "10.1.1"),
        ):
            wire(names[left], names[right], name, net)
        settings = ("net.ipv4.ip_forward=1", "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.all.send_redirects=0")
        for name in ("n1", "n2"):
            command("ip", "netns", "exec", names[name], "sysctl", "-qw", *settings)
        ip("-n", names["n1"], "route", "add", "10.1.1.0/24", "via", "192.168.0.2")
        for name, gateway in (("web", "10.1.0.1"), ("far", "10.1.1.1"), ("n2", "192.168.0.1")):
            ip("-n", names[name], "route", "add", "default", "via", gateway)
        command("ip", "netns", "exec", names["n1"], "nft", "-f", "-", text=RULES)
        yield names


def command(*words: str, text: str | None = None) -> None:
    subprocess.run(words, input=text, text=True, check=True, capture_output=True)


@contextmanager
def serving(place: str, number: int) -> Iterator[None]:
    """Sends back what it is sent, until told to end."""
    with inside(place):
        listening = socket.create_server(("0.0.0.0", number))
    listening.settimeout(0.2)
    going = [True]

    def serve() -> None:
        while going:
            try:
                peer, _ = listening.accept()
            except TimeoutError:
                continue
            with peer:
                peer.settimeout(PATIENCE_S)
                while sent := peer.recv(1 << 16):
                    peer.sendall(sent)

    thread = Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        going.clear()
        thread.join()
        listening.close()


def call(place: str, target: tuple[str, int], octets: int) -> None:
    with inside(place):
        peer = socket.create_connection(target, timeout=PATIENCE_S)
    with peer:
        peer.sendall(bytes(octets))
        peer.shutdown(socket.SHUT_WR)
        left = octets
        while left > 0:
            left -= len(peer.recv(octets))


def call_all(names: dict[str, str], same: bool) -> None:
    """One after the other, as fast as can be; of the same size none can be told from another."""
    octets = 100
    for _, place, target, times in CALLS:
        for _ in range(times):
            call(names[place], target, octets)
            octets += 0 if same else 7


def captured(names: dict[str, str], same: bool, tracked: bool) -> pa.Table:
    tables = []
    with ExitStack() as stack:
        for place, number in (("out", HTTPS), ("far", TARGET), ("web", TARGET)):
            stack.enter_context(serving(names[place], number))
        tracking = stack.enter_context(tracked_in(names["n1"])) if tracked else None
        with live(names["n1"]) as first, live(names["n2"]) as second:
            call_all(names, same)
            time.sleep(0.5)  # the last packets are in the rings
        if tracking:
            first.batches = list(tracking.complete(first.batches))
        tables = [of_node(first, "n1"), of_node(second, "n2")]
    return pa.concat_tables(tables)


@contextmanager
def tracked_in(place: str) -> Iterator[Tracking]:
    with inside(place):
        opened = open_conntrack()
    with Tracking(opened, lambda: time.time_ns() // 1000, lambda *missed: None) as tracking:
        yield tracking


def of_node(one: Live, name: str) -> pa.Table:
    flows = one.table("flows")
    at = flows.schema.get_field_index("node")
    return flows.set_column(at, flows.schema.field(at), pa.array([name] * flows.num_rows))


def edges(read: Directory, flows: pa.Table, folder: Path) -> dict[tuple[str | None, ...], int]:
    lake = Lake.create(folder)
    lake.append({"flows": enrich(flows, dns(), read).flows})
    ends = "src_kind, src_pod, dst_kind, dst_pod"
    found = lake.connect().sql(f"select {ends} from connections where protocol = 6").fetchall()
    counted = lake.connect().sql(f"select {ends} from counted where protocol = 6").fetchall()
    assert Counter(found) == Counter(counted)
    return dict(Counter(found))


@pytest.mark.parametrize("tracked", [False, True], ids=["by comparing", "by conntrack"])
def test_each_connection_is_counted_once_by_its_pods(read: Directory, tmp_path: Path, tracked: bool) -> None:
    required()
    with cluster() as names:
        flows = captured(names, same=tracked, tracked=tracked)
    assert flows.num_rows > sum(TRUTH.values()), json.dumps(flows.to_pylist(), default=str)
    assert edges(read, flows, tmp_path / "lake") == TRUTH
