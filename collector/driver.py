"""From one capture to record batches: the loop around the kernels.

Packets are decoded in a thread of their own, while the rows it filled before are made into batches and written by whoever
takes them: there are two sets of rows.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from collector.hellos import read_initials, read_longest_waiting
from collector.kernels.jit import laid_out
from collector.kernels.layout import DONE, OUT_FULL
from collector.kernels.run import flush, measure, run
from collector.kernels.state import Bounds, new_state, with_other_rows
from collector.records import Origin, Rows, batches
from collector.sources.capture import MAX_INTERFACES, Block, CaptureFile
from contract.columns import TEXT, TIME
from contract.coverage import COVERAGE
from contract.errors import Discard

Batch = tuple[str, pa.RecordBatch]
LATEST = np.iinfo(np.int64).max
DNS_PORTS = (53,)


class Settings(NamedTuple):
    """``seed`` keys the hash tables: random in production, so that nobody can aim at one slot; fixed in tests."""

    seed: int
    cluster: str | None = None
    node: str | None = None
    bounds: Bounds = Bounds()
    dns_ports: tuple[int, ...] = DNS_PORTS


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


class Decoder:
    """Takes the blocks of a capture, and gives rows whenever there is no room for more."""

    def __init__(self, capture: CaptureFile, settings: Settings, progress: Callable[[int], None]) -> None:
        self.totals = Totals.none()
        self.stopped = False
        self._progress = progress
        self._states = [new_state(settings.bounds, MAX_INTERFACES, settings.seed, settings.dns_ports)]
        self._states.append(with_other_rows(self._states[0]))
        self._for_kernels = [laid_out(state) for state in self._states]
        self.control = self._states[0].control[0]
        self.discarded = self._states[0].discarded
        self._steps = self._decode(capture.blocks())

    def next_rows(self) -> Rows | None:
        """Decode until a set of rows is full; the other set is free again. None at the end."""
        with np.errstate(over="ignore"):  # hashing wraps around; only interpreted kernels would say so
            return next(self._steps, None)

    def _decode(self, blocks: Iterator[Block]) -> Iterator[Rows]:
        for block in blocks:
            if self.stopped:
                return
            measure(block.frames, block.count, *self.totals)
            self.control.frame = 0
            while (why := run(self._for_kernels[0], block.data, block.frames, block.count)) != DONE:
                if why == OUT_FULL:
                    yield self._full()
                else:
                    read_longest_waiting(self._states[0].flow)
            self._progress(block.count)
        self.control.flush = 0
        while flush(self._for_kernels[0]) == OUT_FULL:
            yield self._full()
        yield self._full()

    def _full(self) -> Rows:
        """Hand out the rows at hand and go on with the other set, whose hellos nobody reads any more."""
        control, state = self.control, self._states[0]
        read_initials(state.flow, state.flow.flow_rows.hello[: control.flow_rows])
        rows = Rows(state, *(int(control[name]) for name in ("flow_rows", "dns_rows", "answer_rows", "retired")))
        control.flow_rows = control.dns_rows = control.answer_rows = control.text = control.retired = 0
        control.epoch += 1
        self._states.reverse()
        self._for_kernels.reverse()
        return rows

    def release(self, rows: Rows) -> None:
        """The rows were read: the hellos that only they had are free."""
        flow, start = rows.state.flow, int(self.control.free_hellos)
        flow.free_hellos[start : start + rows.retired] = flow.retired[: rows.retired]
        self.control.free_hellos = start + rows.retired


def _in_turn(decoder: Decoder) -> Iterator[Rows]:
    """Without a thread: one that waits for a pipe cannot be interrupted."""
    while rows := decoder.next_rows():
        yield rows
        decoder.release(rows)


def _ahead(decoder: Decoder) -> Iterator[Rows]:
    """The next rows are decoded while these are used."""
    with ThreadPoolExecutor(1, "decode") as thread:
        try:
            coming: Future[Rows | None] = thread.submit(decoder.next_rows)
            while rows := coming.result():
                coming = thread.submit(decoder.next_rows)
                yield rows
                released = thread.submit(decoder.release, rows)
                coming.result()
                released.result()
        finally:
            decoder.stopped = True


def collect(
    capture: CaptureFile, settings: Settings, progress: Callable[[int], None] = lambda packets: None
) -> Iterator[Batch]:
    """(table name, batch) of ``FLOWS.collected`` and ``DNS.collected`` as they end, then one batch of ``COVERAGE``.

    ``progress`` is told the packets of each block, in the decoding thread.
    """
    decoder = Decoder(capture, settings, progress)
    origin = Origin(settings.cluster, settings.node, capture.interfaces.names)
    for rows in _in_turn(decoder) if capture.is_piped else _ahead(decoder):
        yield from batches(rows, origin)
    yield COVERAGE.name, _coverage(capture, origin, decoder)


GIVEN_UP = ("evictions", "pending_overflows", "stream_overflows", "datagram_overflows", "hello_overflows")


def _coverage(capture: CaptureFile, origin: Origin, decoder: Decoder) -> pa.RecordBatch:
    """One row for each interface that gave packets; what the tables gave up is told with the first."""
    totals, control = decoder.totals, decoder.control
    which = np.flatnonzero(totals.packets)
    first = (np.arange(which.size) == 0).astype(np.int64)
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
        "discarded": pa.array([_reasons(decoder.discarded[number]) for number in which.tolist()], _type("discarded")),
        "dns_malformed": pa.array(first * int(control.dns_malformed)),
        **{name: pa.array(first * int(control[name])) for name in GIVEN_UP},
    }
    arrays = [columns[f.name] if f.name in columns else pa.nulls(size, f.type) for f in COVERAGE.schema]
    return pa.record_batch(arrays, schema=COVERAGE.schema)


def _type(name: str) -> pa.DataType:
    return COVERAGE.schema.field(name).type


def _reasons(counts: np.ndarray) -> list[tuple[str, int]]:
    return [(reason.value, int(count)) for reason, count in zip(Discard, counts, strict=True) if count]
