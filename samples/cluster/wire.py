"""How the programs in the pods speak, and the log they keep of every connection they try."""

import itertools
import json
import os
import random
import socket
import struct
import subprocess
import time
from pathlib import Path

A, TXT, SRV = 1, 16, 33
CURL_LIMIT_S = 6
_EVENTS: list[Path] = []
_IDS = itertools.count(1)


def log_to(path: Path) -> None:
    _EVENTS.append(path)


def note(kind: str, **facts: object) -> None:
    """Append one line to the log; a single write, so that threads do not mix."""
    line = json.dumps({"t": time.time(), "kind": kind, **facts}) + "\n"
    descriptor = os.open(_EVENTS[0], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, line.encode())
    os.close(descriptor)


def attempt(ip: str, port: int, protocol: int = 6, name: str | None = None, remark: str | None = None) -> None:
    note("attempt", ip=ip, port=port, protocol=protocol, name=name, remark=remark)


def curl(url: str, *options: str, remark: str | None = None, limit_s: int = CURL_LIMIT_S) -> bool:
    """GET by curl, which resolves by itself and says afterwards where it connected."""
    host, _, port = url.split("/")[2].partition(":")
    told = "%{remote_ip} %{remote_port} %{http_code}"
    words = ["curl", "-sk", "-o", "/dev/null", "--max-time", str(limit_s), "-w", told, *options, url]
    started = time.time()
    ip, _, rest = subprocess.run(words, capture_output=True, text=True, check=False).stdout.partition(" ")
    if not ip and not host[0].isdigit():  # the name did not resolve: nothing was connected
        return False
    if not ip:
        ip, rest = host, f"{port or 80} 000"
    remote_port, _, status = rest.partition(" ")
    name = None if host[0].isdigit() else host
    note("attempt", ip=ip, port=int(remote_port), protocol=6, name=name, remark=remark, started=started)
    return status == "200"


def resolve(name: str, family: socket.AddressFamily = socket.AF_UNSPEC) -> str | None:
    """The first address glibc's resolver gives, as any program would ask."""
    try:
        found = socket.getaddrinfo(name, 80, family, socket.SOCK_STREAM)
    except socket.gaierror:
        return None
    return str(found[0][4][0])


def redis(name: str, *commands: str) -> None:
    """One connection to a redis, a few inline commands on it."""
    ip = resolve(name)
    if ip is None:
        return
    attempt(ip, 6379, name=name)
    with socket.create_connection((ip, 6379), timeout=3) as connection:
        for command in commands:
            connection.sendall(command.encode() + b"\r\n")
            connection.recv(4096)


def knock(ip: str, port: int, timeout_s: float = 1.0, remark: str | None = None) -> None:
    """Open and close a TCP connection, whatever comes of it."""
    attempt(ip, port, remark=remark)
    try:
        socket.create_connection((ip, port), timeout=timeout_s).close()
    except OSError:
        return


def ping(ip: str, remark: str | None = None) -> None:
    attempt(ip, 0, protocol=1, remark=remark)
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as raw:
        raw.settimeout(1)
        body = struct.pack("!HH", os.getpid() & 0xFFFF, 1) + bytes(range(48))
        raw.sendto(struct.pack("!BBH", 8, 0, checksum(b"\x08\0\0\0" + body)) + body, (ip, 0))
        raw.recv(2048)


def checksum(data: bytes) -> int:
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return int(~(total + (total >> 16)) & 0xFFFF)


def name_server() -> str:
    lines = Path("/etc/resolv.conf").read_text().splitlines()
    return next(line.split()[1] for line in lines if line.startswith("nameserver"))


def ask(name: str, record_type: int, timeout_s: float = 3, server: str | None = None) -> None:
    """One DNS query over UDP by hand: a resolver of its own, as a tunnel or a service discovery brings one."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    query = struct.pack("!HHHHHH", next(_IDS), 0x0100, 1, 0, 0, 0) + labels + struct.pack("!BHH", 0, record_type, 1)
    note("query", qname=name)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.settimeout(timeout_s)
        udp.sendto(query, (server or name_server(), 53))
        udp.recv(4096)


def random_labels(dice: random.Random) -> str:
    """Two labels as a tunnel would fill them."""
    alphabet = "abcdefghijklmnopqrstuvwxyz234567"
    return ".".join("".join(dice.choices(alphabet, k=length)) for length in (56, dice.randint(24, 48)))
