"""How the clients resolve and connect: by glibc, musl, Go, the JVM, or by a resolver of their own; each call is noted."""

import json
import socket
import subprocess
import time
from collections.abc import Callable

from samples.cluster import wire
from samples.resolvers.timeline import Stage

Client = Callable[[str, int, int], None]  # name, times, pause in milliseconds


def told(name: str, started: float, found: list[str], connected: bool, error: str = "") -> None:
    took = round(time.time() - started, 3)
    wire.note("resolution", name=name, started=started, took_s=took, addresses=found, connected=connected, error=error)


def visit(name: str, port: int = 80, family: socket.AddressFamily = socket.AF_UNSPEC) -> None:
    """Resolve by glibc and connect to the first address, as any program would; port 0 connects to nothing."""
    started = time.time()
    try:
        found = [str(entry[4][0]) for entry in socket.getaddrinfo(name, port, family, socket.SOCK_STREAM)]
    except socket.gaierror as exc:
        return told(name, started, [], False, str(exc))
    told(name, started, found, bool(port) and connects(found[0], port))


def visit_all(*names: str) -> None:
    for name in names:
        visit(name)


def connects(ip: str, port: int) -> bool:
    try:
        socket.create_connection((ip, port), timeout=1.5).close()
    except OSError:
        return False
    return True


def program(*words: str) -> None:
    """Run a compiled client; each line it prints is one resolution."""
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=90)
    for line in done.stdout.splitlines():
        wire.note("resolution", **json.loads(line))


def glibc(name: str, times: int, pause_ms: int) -> None:
    program(str(Stage.programs / "resolve-glibc"), name, "80", str(times), str(pause_ms))


def musl(name: str, times: int, pause_ms: int) -> None:
    program(str(Stage.programs / "resolve-musl"), name, "80", str(times), str(pause_ms))


def go(name: str, times: int, pause_ms: int, *network: str) -> None:
    program(str(Stage.programs / "resolve-go"), name, "80", str(times), str(pause_ms), *network)


def jvm(name: str, times: int, pause_ms: int) -> None:
    words = ["java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp", str(Stage.programs), "Resolve"]
    program(*words, name, "80", str(times), str(pause_ms))


def ask(name: str, record_type: int, server: str | None = None) -> None:
    try:
        wire.ask(name, record_type, server=server)
    except TimeoutError:
        wire.note("unanswered", qname=name)


def command(kind: str, words: list[str]) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=10)
    wire.note(kind, status=done.returncode, said=done.stdout.strip())
