"""Servers, name servers and clients for pods: ``python -m samples.cluster.traffic EVENTS [--serve PORT] [--call …] …``.

A client opens one TCP connection for each call, in turn, and writes down whom it called before it does.
"""

import argparse
import signal
import socket
import socketserver
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from samples.cluster import wire

PATIENCE_S = 5
ANSWER = b"here you are\n" * 40
HEAD, PORT_AND_TYPE = 12, 4
ANSWERED, NO_SUCH_NAME = b"\x81\x80", b"\x81\x83"
ONE, NONE = b"\0\1", b"\0\0"
# A name that points back to the question; A, IN, 5 s, four octets.
RECORD = b"\xc0\x0c\0\1\0\1\0\0\0\5\0\4"
STOPPING = threading.Event()


class Call(NamedTuple):
    """``to`` is whom the client means; ``name`` is what it asks the name server for first."""

    to: str
    ip: str
    port: int
    name: str | None

    @classmethod
    def of(cls, text: str) -> "Call":
        """``TO=IP:PORT`` or ``TO=IP:PORT@NAME``."""
        to, _, where = text.partition("=")
        address, _, name = where.partition("@")
        ip, _, port = address.partition(":")
        return cls(to, ip, int(port), name or None)

    def make(self) -> None:
        if self.name:
            wire.ask(self.name, wire.A)
        wire.note("call", to=self.to, port=self.port)
        try:
            with socket.create_connection((self.ip, self.port), timeout=PATIENCE_S) as connection:
                wire.note("opened", to=self.to, port=connection.getsockname()[1])
                connection.sendall(b"please\n")
                while connection.recv(4096):
                    pass
        except OSError as error:
            wire.note("failure", to=self.to, why=str(error))


class Answering(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        self.request.settimeout(PATIENCE_S)
        if self.request.recv(4096):
            self.request.sendall(ANSWER)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64


class Naming(socketserver.BaseRequestHandler):
    """Names that the server was not told of do not exist."""

    def handle(self) -> None:
        query, answering = self.request
        question = query[HEAD : query.index(b"\0", HEAD) + 1 + PORT_AND_TYPE]
        address = self.server.addresses.get(spelled(question))  # type: ignore[attr-defined]
        if address is None:
            answer = query[:2] + NO_SUCH_NAME + ONE + NONE * 3 + question
        else:
            answer = query[:2] + ANSWERED + ONE * 2 + NONE * 2 + question + RECORD + socket.inet_aton(address)
        answering.sendto(answer, self.client_address)


class NameServer(socketserver.UDPServer):
    def __init__(self, addresses: dict[str, str]) -> None:
        self.addresses = addresses
        super().__init__(("0.0.0.0", 53), Naming)


def spelled(question: bytes) -> str:
    labels = []
    while length := question[0]:
        labels.append(question[1 : 1 + length].decode())
        question = question[1 + length :]
    return ".".join(labels)


def serve(server: socketserver.BaseServer) -> None:
    threading.Thread(target=server.serve_forever, daemon=True).start()


def every(seconds: float, actions: list[Callable[[], None]]) -> None:
    """One action after the other, at a steady pace, until told to stop."""
    start = time.monotonic()
    turn = 0
    while actions and not STOPPING.is_set():
        actions[turn % len(actions)]()
        turn += 1
        STOPPING.wait(max(0.0, start + turn * seconds - time.monotonic()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("events", type=Path)
    parser.add_argument("--serve", type=int, action="append", default=[])
    parser.add_argument("--name", action="append", default=[], help="NAME=IP: be a name server, which has this name")
    parser.add_argument("--call", type=Call.of, action="append", default=[])
    parser.add_argument("--ask", action="append", default=[], help="a name to be asked for")
    parser.add_argument("--every", type=float, default=0.1)
    parser.add_argument("--silence", type=float, default=0.0, help="seconds between the last packet and the end")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: STOPPING.set())
    wire.log_to(given.events)
    for port in given.serve:
        serve(Server(("0.0.0.0", port), Answering))
    if given.name:
        serve(NameServer(dict(name.split("=") for name in given.name)))
    asking = [lambda name=name: wire.ask(name, wire.A) for name in given.ask]
    every(given.every, [call.make for call in given.call] + asking)
    STOPPING.wait()
    time.sleep(given.silence)


if __name__ == "__main__":
    main()
