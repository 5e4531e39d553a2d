"""What must hold of the records of any capture."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc

from collector.driver import Batch, Settings, collect
from collector.kernels.state import Bounds
from collector.sources.capture import Block, CaptureFile, Interfaces
from contract.coverage import COVERAGE
from contract.dns import DNS
from contract.flows import FLOWS
from tests.fuzz.mutate import LAST_TIME
from tests.fuzz.rounds import Given

SCHEMAS = {"flows": FLOWS.collected, "dns": DNS.collected, "coverage": COVERAGE.schema}
Beat = Callable[[], None]
SAMPLE = 8  # every eighth batch is looked at to its last octet


class Broken(AssertionError):
    """The collector did not do what it promises."""


class Source(Protocol):
    given: Given
    interfaces: Interfaces
    name: str
    block: Block | None

    def blocks(self) -> Iterator[Block]: ...


@dataclass
class Tally:
    """Adds the batches up while they come; none is kept."""

    flowed: int = 0
    discarded: int = 0
    packets: int = 0
    octets: int = 0
    cut: int = 0
    batches: int = field(default=0)

    def add(self, name: str, batch: pa.RecordBatch, given: Given) -> None:
        demand(batch.schema.equals(SCHEMAS[name]), f"a batch of {name} has another schema")
        batch.validate(full=name == "coverage" or self.batches % SAMPLE == 0)
        self.batches += 1
        {"flows": self._flows, "dns": self._dns, "coverage": self._coverage}[name](batch, given)

    def _flows(self, batch: pa.RecordBatch, given: Given) -> None:
        src, dst = batch["src_packets"], batch["dst_packets"]
        self.flowed += total(src) + total(dst)
        demand(least(pc.add(src, dst)) >= 1, "a flow without a packet")
        within(batch["start_time"], given)
        within(batch["end_time"], given)
        demand(least(micros(batch["end_time"], batch["start_time"])) >= 0, "a flow that ends before it starts")
        for name in COUNTS:
            demand(least(batch[name]) >= 0, f"{name} below zero")
        for side in ("src", "dst"):
            rest = pc.subtract(batch[f"{side}_packets"], pc.fill_null(batch[f"{side}_retransmits"], 0))
            demand(least(rest) >= 0, f"more {side}_retransmits than packets")
            demand(most(batch[f"{side}_port"]) < 65536, f"a {side}_port that is none")
            demand(batch[f"{side}_ip"].null_count == 0, f"a flow without {side}_ip")

    def _dns(self, batch: pa.RecordBatch, given: Given) -> None:
        for name in ("start_time", "query_time", "response_time"):
            within(batch[name], given)
        for name in ("latency_us", "query_bytes", "response_bytes", "attempts"):
            demand(least(batch[name]) >= 0, f"{name} below zero")
        unsolicited = pc.equal(batch["outcome"], "unsolicited")
        demand(pc.all(pc.equal(pc.is_null(batch["query_time"]), unsolicited)).as_py(), "an outcome without its times")
        unanswered = pc.equal(batch["outcome"], "unanswered")
        demand(pc.all(pc.equal(pc.is_null(batch["response_time"]), unanswered)).as_py(), "an answer without its time")

    def _coverage(self, batch: pa.RecordBatch, given: Given) -> None:
        self.packets += total(batch["packets"])
        self.octets += total(batch["bytes"])
        self.cut += total(batch["cut_packets"])
        self.discarded += sum(count for row in batch["discarded"].to_pylist() for _, count in row)
        for name in ("from_time", "until_time"):
            within(batch[name], given)
        for name in ("dns_malformed", "evictions", "pending_overflows"):
            demand(least(batch[name]) >= 0, f"{name} below zero")

    def close(self, given: Given) -> None:
        counted = self.flowed + self.discarded
        demand(counted == given.packets, f"{given.packets} packets given, {counted} in flows and discard counts")
        told, seen = (self.packets, self.octets, self.cut), (given.packets, given.octets, given.cut)
        demand(told == seen, f"coverage says {told} packets, bytes, cut; given were {seen}")


COUNTS = [
    f"{side}_{name}" for side in ("src", "dst") for name in ("packets", "bytes", "retransmits", "zero_windows", "port")
] + ["protocol", "server_handshake_us", "client_handshake_us"]


def demand(holds: bool, what: str) -> None:
    if not holds:
        raise Broken(what)


def total(values: pa.Array) -> int:
    return int(pc.sum(values).as_py() or 0)


def least(values: pa.Array) -> int:
    found = pc.min(values).as_py()
    return 0 if found is None else int(found)


def most(values: pa.Array) -> int:
    found = pc.max(values).as_py()
    return 0 if found is None else int(found)


def micros(later: pa.Array, earlier: pa.Array) -> pa.Array:
    return pc.subtract(later.cast(pa.int64()), earlier.cast(pa.int64()))


def within(times: pa.Array, given: Given) -> None:
    """No record is outside the time that the packets span."""
    bounds = pc.min_max(times.cast(pa.int64())).as_py()
    if bounds["min"] is not None:
        demand(given.first <= bounds["min"] and bounds["max"] <= given.last, f"a time of no packet: {bounds}")


def check(source: Source, bounds: Bounds, seed: int, beat: Beat = lambda: None) -> Given:
    """Collect all of it. Raises ``Broken``, or what the collector raised."""
    tally = Tally()
    for name, batch in _collected(source, bounds, seed, beat):
        tally.add(name, batch, source.given)
    tally.close(source.given)
    return source.given


def check_twins(one: Source, other: Source, bounds: Bounds, seed: int, beat: Beat = lambda: None) -> Given:
    """Two captures of the same frames give the same records, whatever lies between the frames."""
    tally = Tally()
    pairs = zip(_collected(one, bounds, seed, beat), _collected(other, bounds, seed, beat), strict=True)
    for (name, batch), (_, again) in pairs:
        tally.add(name, batch, one.given)
        demand(batch.equals(again), f"{name} depend on octets behind the end of a frame")
    tally.close(one.given)
    return one.given


def check_capture(capture: CaptureFile, bounds: Bounds, beat: Beat = lambda: None) -> int:
    """Collect a file that may be broken: the packets of it. Raises ``InputError`` where it is no capture."""
    tally, any_time = Tally(), Given(first=0, last=LAST_TIME)
    for name, batch in _collected(capture, bounds, 1, beat):
        tally.add(name, batch, any_time)
    counted = tally.flowed + tally.discarded
    demand(counted == tally.packets, f"{tally.packets} packets read, {counted} in flows and discard counts")
    return tally.packets


def _collected(source: Source | CaptureFile, bounds: Bounds, seed: int, beat: Beat) -> Iterator[Batch]:
    """``beat`` is called for each block and each batch: a sign that nothing hangs."""
    for named in collect(source, Settings(seed=seed, bounds=bounds), lambda packets: beat()):  # type: ignore[arg-type]
        beat()
        yield named
