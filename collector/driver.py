"""From one capture to record batches: the loop around the kernels.

Packets are decoded in a thread of their own, while the rows it filled before are made into batches and written by whoever
takes them: there are two sets of rows.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from collector.coverage import Totals, coverage_batch
from collector.hellos import read_initials, read_longest_waiting
from collector.kernels.jit import laid_out
from collector.kernels.layout import DONE, OUT_FULL
from collector.kernels.run import flush, measure, run
from collector.kernels.state import Bounds, new_state, with_other_rows
from collector.records import Origin, Rows, batches
from collector.sources.capture import MAX_INTERFACES, Block, CaptureFile
from contract.coverage import COVERAGE

Batch = tuple[str, pa.RecordBatch]
DNS_PORTS = (53,)


class Settings(NamedTuple):
    """``seed`` keys the hash tables: random in production, so that nobody can aim at one slot; fixed in tests."""

    seed: int
    cluster: str | None = None
    node: str | None = None
    bounds: Bounds = Bounds()
    dns_ports: tuple[int, ...] = DNS_PORTS


class Decoder:
    """Takes the blocks of a capture, and gives rows whenever there is no room for more."""

    def __init__(self, capture: CaptureFile, settings: Settings, progress: Callable[[int], None]) -> None:
        self.totals = Totals.none(MAX_INTERFACES)
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


def _coverage(capture: CaptureFile, origin: Origin, decoder: Decoder) -> pa.RecordBatch:
    size = len(origin.interfaces)
    texts: dict[str, list[str | None]] = {
        "cluster": [origin.cluster] * size,
        "node": [origin.node] * size,
        "interface": origin.interfaces,
        "source": [capture.name] * size,
    }
    return coverage_batch(texts, decoder.totals, decoder.discarded, decoder.control)
