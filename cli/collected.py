"""What was collected, on disk until it is enriched: names of one node's flows may come out of another node's capture."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, NamedTuple, Self

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from contract.columns import COUNT, TIME
from contract.coverage import COVERAGE
from contract.dns import DNS
from contract.errors import LakeError
from contract.flows import FLOWS
from store.packing import writing

WINDOW_ROWS = 4_000_000  # enriched at a time; records of one connection are matched inside a window
LOOKBACK = timedelta(hours=1)  # how long before a window an answer may name one of its addresses


class Window(NamedTuple):
    """Flows of one range of time, and its DNS with the ``LOOKBACK`` before it; ``since`` is None for the first."""

    flows: pa.Table
    dns: pa.Table
    since: pa.Scalar | None


class Collected:
    """Takes batches in any order, gives them back by time; its files vanish with it."""

    def __init__(self) -> None:
        self._coverage: list[pa.RecordBatch] = []
        self._rows = 0
        with _translated():
            self._folder = TemporaryDirectory(prefix="tailrace-", ignore_cleanup_errors=True)
            self._writers: dict[str, Any] = {
                table.name: pq.ParquetWriter(self._path(table.name), table.collected, **writing(table.collected))
                for table in (FLOWS, DNS)
            }

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for writer in self._writers.values():
            writer.close()
        self._folder.cleanup()

    def add(self, table: str, batch: pa.RecordBatch) -> None:
        if table == COVERAGE.name:
            self._coverage.append(batch)
            return
        self._rows += batch.num_rows
        with _translated():
            self._writers[table].write_batch(batch)

    def coverage(self) -> pa.Table:
        return pa.Table.from_batches(self._coverage, COVERAGE.schema)

    def windows(self) -> Iterator[Window]:
        """All that was added, in windows of about ``WINDOW_ROWS``; nothing can be added any more."""
        with _translated():
            for writer in self._writers.values():
                writer.close()
            edges = self._edges()
            for since, until in zip([None, *edges], [*edges, None], strict=True):
                before = None if since is None else pa.scalar(since.as_py() - LOOKBACK, TIME)
                yield Window(self._read(FLOWS.name, since, until), self._read(DNS.name, before, until), since)

    def _edges(self) -> list[pa.Scalar]:
        count = self._rows // WINDOW_ROWS
        if not count:
            return []
        times = np.concatenate(
            [
                pq.read_table(self._path(name), columns=["start_time"])[0].cast(COUNT).to_numpy()
                for name in self._writers
            ]
        )
        cuts = np.quantile(times, np.arange(1, count + 1) / (count + 1), method="lower")
        return [pa.scalar(int(cut), COUNT).cast(TIME) for cut in np.unique(cuts)]

    def _read(self, name: str, since: pa.Scalar | None, until: pa.Scalar | None) -> pa.Table:
        inside = ds.scalar(True)
        if since is not None:
            inside &= ds.field("start_time") >= since
        if until is not None:
            inside &= ds.field("start_time") < until
        table = ds.dataset(self._path(name)).to_table(filter=inside)
        return table.cast(self._writers[name].schema)

    def _path(self, name: str) -> Path:
        return Path(self._folder.name) / f"{name}.parquet"


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise LakeError(f"temporary folder: {reason}; set TMPDIR to a folder with room for the records") from error
