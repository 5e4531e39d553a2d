"""Ways into the lake that only the whole command shows."""

import json
import signal
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from scapy.layers.dns import DNS, DNSQR, DNSRR
from scapy.layers.inet import IP, TCP, UDP
from scapy.packet import Packet

from cli.ingest import NAMELESS_BEFORE, WITHOUT_OBJECTS
from tests.support.frames import ether, pcap, timed
from tests.support.sample import CAPTURES, OBJECTS, tailrace

ALONE = f"tailrace: {WITHOUT_OBJECTS}\n"
COREDNS, NODE_LOCAL = "10.244.1.2", "169.254.20.10"


def counts(lake: Path) -> dict[str, int]:
    query = "select (select count(*) from flows) as flows, (select count(*) from dns_records) as dns"
    done = tailrace("sql", "--lake", lake, "--format", "json", query)
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)
    found: dict[str, int] = row
    return found


@pytest.fixture(scope="module")
def from_file(tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    lake = tmp_path_factory.mktemp("file") / "lake"
    done = tailrace("ingest", CAPTURES[0], "--lake", lake)
    assert (done.returncode, done.stderr) == (0, ALONE)
    return counts(lake)


def test_stdin_is_read_like_a_file(tmp_path: Path, from_file: dict[str, int]) -> None:
    """Through a pipe: a file at stdin could be sought in."""
    pipe = subprocess.Popen(["cat", CAPTURES[0]], stdout=subprocess.PIPE)
    with pipe:
        done = tailrace("ingest", "-", "--lake", tmp_path / "lake", stdin=pipe.stdout)
    assert (done.returncode, done.stderr) == (0, ALONE)
    assert counts(tmp_path / "lake") == from_file


def test_a_capture_is_added_once(tmp_path: Path, from_file: dict[str, int]) -> None:
    lake = tmp_path / "lake"
    assert tailrace("ingest", CAPTURES[0], CAPTURES[0], "--lake", lake).returncode == 0
    assert counts(lake) == from_file
    again = tailrace("ingest", CAPTURES[0], "--lake", lake)
    assert (again.returncode, again.stderr) == (
        0,
        f"tailrace: {CAPTURES[0]}: is in the lake already, left out; to read it in another way, take a new lake\n{ALONE}",
    )
    assert counts(lake) == from_file
    assert tailrace("ingest", CAPTURES[0], CAPTURES[1], "--lake", lake).returncode == 0
    assert counts(lake)["flows"] > from_file["flows"]


def test_objects_that_come_late_name_nothing_of_before(tmp_path: Path) -> None:
    lake, objects = tmp_path / "lake", ("--kube", OBJECTS)
    assert tailrace("ingest", CAPTURES[0], *objects, "--lake", tmp_path / "named").stderr == ""
    assert tailrace("ingest", CAPTURES[0], "--lake", lake).stderr == ALONE
    late = tailrace("ingest", CAPTURES[1], *objects, "--lake", lake)
    assert (late.returncode, late.stderr) == (0, f"tailrace: {NAMELESS_BEFORE}\n")
    assert NAMELESS_BEFORE not in tailrace("ingest", CAPTURES[1], *objects, "--lake", lake).stderr


def test_a_time_far_ahead_leaves_the_lake_readable(tmp_path: Path) -> None:
    """Capture and lake both have to do with times that a stranger wrote."""
    frame = bytes.fromhex(
        "020000000001020000000002080045000020000000004011000001020304050607081389138a000c00000102 0304"
    )
    last = 0xFFFFFFFF
    record = struct.pack("<IIII", last, 999_999, len(frame), len(frame)) + frame
    path = tmp_path / "late.pcap"
    path.write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1) + record)
    assert tailrace("ingest", path, "--lake", tmp_path / "lake").returncode == 0
    assert counts(tmp_path / "lake")["flows"] == 1
    for verb in (["flows"], ["graph"], ["lake", "stats"]):
        done = tailrace(*verb, "--lake", tmp_path / "lake")
        assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr


def test_an_interrupted_ingest_adds_nothing(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    command = [sys.executable, "-m", "cli", "ingest", "-", "--lake", str(lake)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as ingest:
        assert ingest.stdin is not None
        ingest.stdin.buffer.write(b"\xd4\xc3\xb2\xa1")
        ingest.stdin.flush()
        while not (lake / "coverage").exists():
            assert ingest.poll() is None
        ingest.send_signal(signal.SIGINT)
        _, said = ingest.communicate(timeout=60)
    assert ingest.returncode != 0
    assert "Traceback" not in said
    assert counts(lake) == {"flows": 0, "dns": 0}


def over_udp(name: str, server: str, port: int) -> list[Packet]:
    asked = ether() / IP(src="10.244.1.9", dst=server) / UDP(sport=40000, dport=port)
    told = ether() / IP(src=server, dst="10.244.1.9") / UDP(sport=port, dport=40000)
    return [asked / DNS(id=8, qd=DNSQR(qname=name)), told / answer(name)]


def over_tcp(name: str, server: str, port: int) -> list[Packet]:
    asked = ether() / IP(src="10.244.1.9", dst=server)
    told = ether() / IP(src=server, dst="10.244.1.9")
    query, response = (framed(message) for message in (DNS(id=8, qd=DNSQR(qname=name)), answer(name)))
    there, back = {"sport": 40001, "dport": port}, {"sport": port, "dport": 40001}
    return [
        asked / TCP(**there, flags="S", seq=10),
        told / TCP(**back, flags="SA", seq=90, ack=11),
        asked / TCP(**there, flags="PA", seq=11, ack=91) / query,
        told / TCP(**back, flags="PA", seq=91, ack=11 + len(query)) / response,
    ]


def answer(name: str) -> DNS:
    return DNS(id=8, qr=1, qd=DNSQR(qname=name), an=DNSRR(rrname=name, rdata="192.0.2.1"))


def framed(message: DNS) -> bytes:
    return struct.pack("!H", len(message)) + bytes(message)


@pytest.fixture(scope="module")
def two_servers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """CoreDNS on its pods' port 1053, and NodeLocal DNSCache on its link-local address."""
    frames = over_udp("pod.example", COREDNS, 1053) + over_tcp("tcp.example", COREDNS, 1053)
    path = tmp_path_factory.mktemp("ports") / "node.pcap"
    path.write_bytes(pcap(timed(frames + over_udp("cached.example", NODE_LOCAL, 53))))
    return path


CACHED = ("cached.example", NODE_LOCAL, 53, "udp")
OF_PODS = {("pod.example", COREDNS, 1053, "udp"), ("tcp.example", COREDNS, 1053, "tcp")}


@pytest.mark.parametrize(
    "ports, found", [((), {CACHED}), ((1053,), OF_PODS), ((53, 1053), {CACHED} | OF_PODS)], ids=str
)
def test_dns_is_read_on_the_ports_that_were_named(
    tmp_path: Path, two_servers: Path, ports: tuple[int, ...], found: set[object]
) -> None:
    options = [option for port in ports for option in ("--dns-port", port)]
    done = tailrace("ingest", two_servers, *options, "--lake", tmp_path / "lake")
    assert (done.returncode, done.stderr) == (0, ALONE)
    rows = json.loads(tailrace("dns", "--lake", tmp_path / "lake", "--format", "json").stdout)
    assert {tuple(row[name] for name in ("qname", "server_ip", "server_port", "transport")) for row in rows} == found
    assert {row["outcome"] for row in rows} == {"answered"}
    flows = json.loads(tailrace("flows", "--lake", tmp_path / "lake", "--format", "json").stdout)
    assert {flow["dst_port"] for flow in flows if flow["application"] == "dns"} == {port for _, _, port, _ in found}


@pytest.mark.parametrize("port", ["0", "65536", "dns"])
def test_what_is_no_port_is_wrong_usage(tmp_path: Path, two_servers: Path, port: str) -> None:
    done = tailrace("ingest", two_servers, "--dns-port", port, "--lake", tmp_path / "lake")
    assert done.returncode == 2
    assert "'--dns-port'" in done.stderr
    assert not (tmp_path / "lake").exists()
