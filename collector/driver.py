"""From one capture to record batches: the loop around the kernels."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from collector.kernels.layout import OUT_FULL, Bounds, State, new_state
from collector.kernels.run import flush, measure, run
from collector.records import Origin, dns_batch, flow_batch
from collector.sources.capture import MAX_INTERFACES, CaptureFile
from contract.columns import TEXT, TIME
from contract.coverage import COVERAGE
from contract.errors import Discard

Batch = tuple[str, pa.RecordBatch]
LATEST = np.iinfo(np.int64).max


class Settings(NamedTuple):
    """``seed`` keys the hash tables: random in production, so that nobody can aim at one slot; fixed in tests."""

    seed: int
    cluster: str | None = None
    node: str | None = None
    bounds: Bounds = Bounds()


class Totals(NamedTuple):
    """What each interface of a capture gave, as arrays with a row an interface."""

    packets: np.ndarray
    octets: np.ndarray
    cut: np.ndarray
    first: np.ndarray
    last: np.ndarray

    @classmethod
    def none(cls) -> "Totals":
        packets, octets, cut, last = (np.zeros(MAX_INTERFACES, np.int64) for _ in range(4))
        return cls(packets, octets, cut, np.full(MAX_INTERFACES, LATEST), last)


def collect(
    capture: CaptureFile, settings: Settings, progress: Callable[[int], None] = lambda packets: None
) -> Iterator[Batch]:
    """(table name, batch) of ``FLOWS.collected`` and ``DNS.collected`` as they end, then one batch of ``COVERAGE``.

    ``progress`` is told the packets of each block.
    """
    state = new_state(settings.bounds, MAX_INTERFACES, settings.seed)
    control = state.control[0]
    origin = Origin(settings.cluster, settings.node, capture.interfaces.names)
    totals = Totals.none()
    evicted = 0
    with np.errstate(over="ignore"):  # hashing wraps around; only interpreted kernels would say so
        for block in capture.blocks():
            measure(block.frames, block.count, *totals)
            control.frame = 0
            while run(state, block.data, block.frames, block.count) == OUT_FULL:
                yield from _take(state, origin)
            progress(block.count)
        evicted = int(control.evictions)
        control.flush = 0
        while flush(state) == OUT_FULL:
            yield from _take(state, origin)
        yield from _take(state, origin)
    yield COVERAGE.name, _coverage(capture, origin, totals, state, evicted)


def _take(state: State, origin: Origin) -> Iterator[Batch]:
    """Take the rows out, so that there is room for the next."""
    control = state.control[0]
    if control.flow_rows:
        yield "flows", flow_batch(state, origin)
    if control.dns_rows:
        yield "dns", dns_batch(state, origin)
    control.flow_rows = control.dns_rows = control.answer_rows = control.text = 0
    control.epoch += 1


def _coverage(capture: CaptureFile, origin: Origin, totals: Totals, state: State, evicted: int) -> pa.RecordBatch:
    """One row for each interface that gave packets; what the tables gave up is told with the first."""
    which = np.flatnonzero(totals.packets)
    first = (np.arange(which.size) == 0).astype(np.int64)
    control = state.control[0]
    size = which.size
    columns = {
        "cluster": pa.repeat(pa.scalar(origin.cluster, TEXT), size),
        "node": pa.repeat(pa.scalar(origin.node, TEXT), size),
        "interface": pa.array([origin.interfaces[number] for number in which.tolist()], TEXT),
        "source": pa.repeat(pa.scalar(capture.name, TEXT), size),
        "from_time": pa.array(totals.first[which]).cast(TIME),
        "until_time": pa.array(totals.last[which]).cast(TIME),
        "packets": pa.array(totals.packets[which]),
        "bytes": pa.array(totals.octets[which]),
        "cut_packets": pa.array(totals.cut[which]),
        "discarded": pa.array([_reasons(state.discarded[number]) for number in which.tolist()], _type("discarded")),
        "dns_malformed": pa.array(first * int(control.dns_malformed)),
        "evictions": pa.array(first * evicted),
        "pending_overflows": pa.array(first * int(control.pending_overflows)),
    }
    arrays = [columns[f.name] if f.name in columns else pa.nulls(size, f.type) for f in COVERAGE.schema]
    return pa.record_batch(arrays, schema=COVERAGE.schema)


def _type(name: str) -> pa.DataType:
    return COVERAGE.schema.field(name).type


def _reasons(counts: np.ndarray) -> list[tuple[str, int]]:
    return [(reason.value, int(count)) for reason, count in zip(Discard, counts, strict=True) if count]
