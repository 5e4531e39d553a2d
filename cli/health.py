"""How a verb that runs on is doing, over HTTP: /metrics for Prometheus, /healthz and /readyz for Kubernetes."""

import logging
import socket
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler
from importlib.metadata import version
from socketserver import TCPServer, ThreadingMixIn
from threading import Lock, Thread
from types import TracebackType
from typing import Any, NamedTuple, Self

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from analysis.printable import printable
from cli.addresses import HostPort
from cli.metrics import Metrics, Observed
from contract.errors import UsageError

log = logging.getLogger("tailrace.health")

MAX_CLIENTS = 16  # at a time; a further one is hung up on
CLIENT_S = 5.0  # for which a client may take its time, all in all
PLAIN = "text/plain; charset=utf-8"
OK, NOT_FOUND, FAILED, UNAVAILABLE = 200, 404, 500, 503


class Answer(NamedTuple):
    status: int
    body: bytes
    kind: str = PLAIN


class Heartbeat:
    """Whether the loop turns: it says so at every turn."""

    def __init__(self, clock: Callable[[], float], patience_s: float) -> None:
        self._clock, self._patience = clock, patience_s
        self._last = clock()

    def beat(self) -> None:
        self._last = self._clock()

    def faults(self) -> list[str]:
        silent = self._clock() - self._last
        return [f"the loop has not turned for {silent:.0f} s"] if silent > self._patience else []


class Checks(NamedTuple):
    """What is asked for when somebody asks. Faults are words for people; none is good."""

    alive: Callable[[], list[str]]
    ready: Callable[[], list[str]]
    metrics: Iterable[Observed[Any]]


class Health(ThreadingMixIn, TCPServer):
    """Serves from where it is entered to where it is left."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = MAX_CLIENTS

    def __init__(self, address: HostPort, checks: Checks, clock: Callable[[], float]) -> None:
        super().__init__(address, Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = _listening(address)
        self._clock = clock
        self._since: dict[Any, float] = {}  # by connection: when it came
        self._lock = Lock()
        registry = CollectorRegistry()
        for collector in (Metrics(checks.metrics), ProcessCollector(registry=None), Build()):
            registry.register(collector)
        self._registry, self._checks = registry, checks

    @property
    def port(self) -> int:
        return int(self.socket.getsockname()[1])

    def __enter__(self) -> Self:
        Thread(target=self.serve_forever, name="health", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shutdown()
        self.server_close()

    def verify_request(self, request: Any, client_address: Any) -> bool:
        with self._lock:
            if len(self._since) < MAX_CLIENTS:
                self._since[request] = self._clock()
            return request in self._since

    def service_actions(self) -> None:
        """Hang up on those who took too long; their thread then ends by itself."""
        with self._lock:
            late = [request for request, since in self._since.items() if self._clock() - since > CLIENT_S]
        for request in late:
            _hang_up(request)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._since.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        log.debug("a client of the health port went away", exc_info=True)

    def answer(self, path: str, accepts: str) -> Answer:
        if path == "/metrics":
            encode, kind = choose_encoder(accepts)
            return Answer(OK, encode(self._registry), kind)
        if path == "/healthz":
            return _verdict(self._checks.alive())
        if path == "/readyz":
            return _verdict(self._checks.ready())
        return Answer(NOT_FOUND, b"/metrics, /healthz or /readyz\n")


class Handler(BaseHTTPRequestHandler):
    server: Health
    timeout = CLIENT_S

    def do_GET(self) -> None:
        try:
            answer = self.server.answer(self.path.partition("?")[0], self.headers.get("Accept", ""))
        except Exception:  # a question about health is answered, whatever is ill
            log.exception("cannot answer %s", self.path)
            answer = Answer(FAILED, b"the log says why\n")
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.kind)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def version_string(self) -> str:
        return "tailrace"

    def log_message(self, format: str, *args: Any) -> None:
        log.debug(format, *args)


class Build(Collector):
    def collect(self) -> Iterable[GaugeMetricFamily]:
        build = GaugeMetricFamily("tailrace_build_info", "which release this is", labels=("version",))
        build.add_metric((version("tailrace"),), 1)
        yield build


def _verdict(faults: list[str]) -> Answer:
    if not faults:
        return Answer(OK, b"ok\n")
    return Answer(UNAVAILABLE, "".join(f"{printable(fault)}\n" for fault in faults).encode())


def _listening(address: HostPort) -> socket.socket:
    """No host: both families, where the machine has both."""
    both = not address.host and socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if both or ":" in address.host else socket.AF_INET
    try:
        return socket.create_server(tuple(address), family=family, dualstack_ipv6=both)
    except (OSError, UnicodeError) as error:
        reason = str(getattr(error, "strerror", None) or error).partition(" (while ")[0]
        raise UsageError(f"--health {address}: cannot listen there: {reason}") from error


def _hang_up(request: socket.socket) -> None:
    try:
        request.shutdown(socket.SHUT_RDWR)
    except OSError:
        log.debug("a client of the health port was gone already")
