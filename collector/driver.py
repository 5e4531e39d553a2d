"""From one capture to record batches: the loop around the kernels.

Packets are decoded in a thread of their own, while the rows it filled before are made into batches and written by whoever
takes them.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import pyarrow as pa

from collector.coverage import coverage_batch
from collector.records import Origin, Rows, batches
from collector.sources.capture import Block, CaptureFile
from collector.tables import DNS_PORTS, Settings, Tables, release
from contract.coverage import COVERAGE

__all__ = ["DNS_PORTS", "Batch", "Settings", "collect"]

Batch = tuple[str, pa.RecordBatch]


class Decoder:
    """Takes the blocks of a capture, and gives rows whenever there is no room for more."""

    def __init__(self, capture: CaptureFile, settings: Settings, progress: Callable[[int], None]) -> None:
        self.tables = Tables(settings)
        self.stopped = False
        self._progress = progress
        self._steps = self._decode(capture.blocks())

    def next_rows(self) -> Rows | None:
        """Decode until a set of rows is full; the other set is free again. None at the end."""
        with np.errstate(over="ignore"):  # hashing wraps around; only interpreted kernels would say so
            return next(self._steps, None)

    def _decode(self, blocks: Iterator[Block]) -> Iterator[Rows]:
        for block in blocks:
            if self.stopped:
                return
            yield from self.tables.take(block)
            self._progress(block.count)
        yield from self.tables.end()


def _in_turn(decoder: Decoder) -> Iterator[Rows]:
    """Without a thread: one that waits for a pipe cannot be interrupted."""
    while rows := decoder.next_rows():
        yield rows
        release(rows)


def _ahead(decoder: Decoder) -> Iterator[Rows]:
    """The next rows are decoded while these are used."""
    with ThreadPoolExecutor(1, "decode") as thread:
        try:
            coming: Future[Rows | None] = thread.submit(decoder.next_rows)
            while rows := coming.result():
                coming = thread.submit(decoder.next_rows)
                yield rows
                released = thread.submit(release, rows)
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
    yield COVERAGE.name, _coverage(capture, origin, decoder.tables)


def _coverage(capture: CaptureFile, origin: Origin, tables: Tables) -> pa.RecordBatch:
    size = len(origin.interfaces)
    texts: dict[str, list[str | None]] = {
        "cluster": [origin.cluster] * size,
        "node": [origin.node] * size,
        "interface": origin.interfaces,
        "source": [capture.name] * size,
    }
    return coverage_batch(texts, tables.totals, tables.discarded, tables.control)
