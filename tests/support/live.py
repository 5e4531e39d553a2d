"""Live capture in a namespace of the test's own, beside a recording of the same packets."""

import os
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Any, NamedTuple

import pyarrow as pa

from collector.kernels.state import Bounds
from collector.live import Clock, collect_live, keep_us
from collector.sources.filter import Lengths
from collector.sources.interfaces import LiveInterfaces, Wanted
from collector.sources.opening import open_packets
from collector.sources.ring import Ring, Size
from collector.tables import Settings
from contract.coverage import COVERAGE
from contract.dns import DNS
from contract.flows import FLOWS
from tests.support.frames import BOUNDS, START, Timed
from tests.support.namespaces import inside

CLOCK = Clock(lambda: time.time_ns() // 1000, lambda: time.monotonic_ns() // 1000)
SMALL = Size(1 << 18, 16)
PATIENCE_S = 20
SCHEMAS = {"flows": FLOWS.collected, "dns": DNS.collected, "coverage": COVERAGE.schema}
ETH_P_ALL = 3
LONGEST = 1 << 18


def wait_until(reached: Callable[[], bool], what: str) -> None:
    ends = time.monotonic() + PATIENCE_S
    while not reached():
        assert time.monotonic() < ends, what
        time.sleep(0.01)


@dataclass
class Live:
    """A capture under way; after it ended, what it gave."""

    rings: list[Ring]
    batches: list[tuple[str, pa.RecordBatch]] = field(default_factory=list)
    stop: Event = field(default_factory=Event)
    going: Event = field(default_factory=Event)  # while it is not set, no packet is read
    failure: BaseException | None = None

    def is_stopped(self) -> bool:
        self.going.wait()
        return self.stop.is_set()

    def table(self, name: str) -> pa.Table:
        return pa.Table.from_batches([batch for table, batch in self.batches if table == name], SCHEMAS[name])

    def rows(self, name: str) -> list[dict[str, object]]:
        rows: list[dict[str, object]] = self.table(name).to_pylist()
        return rows

    def total(self, column: str) -> int:
        return sum(number or 0 for number in self.table("coverage")[column].to_pylist())

    def intervals(self) -> int:
        return sum(name == "coverage" for name, _ in self.batches)

    def run(self, settings: Settings, interval: int) -> None:
        try:
            for name, batch in collect_live(self.rings, settings, CLOCK, self.is_stopped, interval):
                batch.validate(full=True)
                self.batches.append((name, batch))
        except BaseException as error:
            self.failure = error


class Options(NamedTuple):
    patterns: Sequence[str] = ()
    size: Size = SMALL
    bounds: Bounds = BOUNDS
    interval: int = 500_000
    threads: int = 1


@contextmanager
def rings(namespace: str, options: Options) -> Iterator[list[Ring]]:
    keep = keep_us(options.bounds, options.interval)
    group = os.getpid() & 0xFFFF if options.threads > 1 else None
    with ExitStack() as stack:
        stack.enter_context(inside(namespace))
        opened = [stack.enter_context(open_packets()) for _ in range(options.threads)]
        interfaces = [LiveInterfaces(Wanted(options.patterns), CLOCK.steady, keep) for _ in opened]
        yield [
            stack.enter_context(Ring(*each, Lengths((53,)), options.size, group))
            for each in zip(opened, interfaces, strict=True)
        ]


@contextmanager
def live(namespace: str, *patterns: str, **more: Any) -> Iterator[Live]:
    """Capture in the namespace until the block ends; what was captured is whole then. ``more`` are ``Options``."""
    options, begun, captures = Options(patterns, **more), Event(), []

    def capture() -> None:
        with rings(namespace, options) as opened:
            captures.append(Live(opened))
            captures[0].going.set()
            begun.set()
            captures[0].run(Settings(1, "test", "node", options.bounds), options.interval)

    thread = Thread(target=capture)
    thread.start()
    assert begun.wait(PATIENCE_S)
    try:
        yield captures[0]
    finally:
        captures[0].stop.set()
        captures[0].going.set()
        thread.join()
    if captures[0].failure:
        raise captures[0].failure


class Recording:
    """What a plain socket saw on one interface."""

    def __init__(self, namespace: str, interface: str) -> None:
        self.frames: list[Timed] = []
        self._stop = Event()
        with inside(namespace):
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 26)
        self._socket.bind((interface, ETH_P_ALL))
        self._socket.settimeout(0.2)
        self._thread = Thread(target=self._record)

    def __enter__(self) -> "Recording":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._socket.close()

    def _record(self) -> None:
        while True:
            try:
                frame = self._socket.recv(LONGEST)
                self.frames.append((time.time() - START, frame))
            except TimeoutError:
                if self._stop.is_set():
                    return
