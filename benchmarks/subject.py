"""The collector from a capture (``-``: stdin) to flow and DNS Parquet files, as one process: what the benchmarks measure.

Prints JSON: the seconds from opening the capture to the last byte of Parquet, the packets, and the rows of each table.
"""

import argparse
import json
import sys
import time
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from collector.driver import DNS_PORTS, Settings, collect
from collector.sources.capture import open_capture
from contract.columns import Table
from contract.coverage import COVERAGE
from contract.dns import DNS
from contract.flows import FLOWS
from store.packing import times, writing

ROWS_A_FILE = 4_000_000
# Groups of half as many rows take 5 to 8 % more time and 3 to 6 % more room; twice as many hold 30 MB more in memory.
ROWS_A_GROUP = 1 << 15


class Parts:
    """A table as Parquet files of a bounded number of rows, as a writer holds the footer of its file in memory until the end."""

    def __init__(self, folder: Path, table: Table) -> None:
        self._folder, self._table = folder / table.name, table
        self._folder.mkdir()
        self._number = self._rows = 0
        self._group: list[pa.RecordBatch] = []
        self._writer = self._next()

    def write(self, batch: pa.RecordBatch) -> None:
        if self._rows + batch.num_rows > ROWS_A_FILE:
            self.close()
            self._number, self._rows = self._number + 1, 0
            self._writer = self._next()
        if sum(held.num_rows for held in self._group) + batch.num_rows > ROWS_A_GROUP:
            self._write_group()
        self._group.append(batch)
        self._rows += batch.num_rows

    def close(self) -> None:
        self._write_group()
        self._writer.close()

    def _write_group(self) -> None:
        if self._group:
            self._writer.write_table(pa.Table.from_batches(self._group), ROWS_A_GROUP)
            self._group = []

    def _next(self) -> pq.ParquetWriter:
        path, schema = self._folder / f"{self._number:06d}.parquet", self._table.collected
        return pq.ParquetWriter(
            path,
            schema,
            **writing(schema),
            write_statistics=sorted({self._table.time, *self._table.sort_by, *times(schema)}),
        )


def convert(capture: str, folder: Path, dns_ports: tuple[int, ...] = DNS_PORTS) -> dict[str, int]:
    """Rows of each table, and ``packets``, ``evictions`` and ``discarded`` of the coverage."""
    rows: Counter[str] = Counter()
    writers = {table.name: Parts(folder, table) for table in (FLOWS, DNS)}
    with open_capture(capture, sys.stdin.buffer) as opened, ThreadPoolExecutor(1) as writing:  # type: ignore[arg-type]
        written: Future[None] | None = None
        for table, batch in collect(opened, Settings(seed=1, dns_ports=dns_ports)):
            rows[table] += batch.num_rows
            if table == COVERAGE.name:
                rows.update(_totals(batch))
                continue
            if written:
                written.result()
            written = writing.submit(writers[table].write, batch)
    for writer in writers.values():
        writer.close()
    return dict(rows)


def _totals(coverage: pa.RecordBatch) -> dict[str, int]:
    totals = {name: sum(coverage[name].to_pylist()) for name in ("packets", "evictions")}
    reasons = [count for row in coverage["discarded"].to_pylist() for _, count in row or ()]
    return totals | {"discarded": sum(reasons)}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("capture")
    options.add_argument("folder", type=Path)
    options.add_argument("--no-dns", action="store_true", help="flows only: messages are not read")
    chosen = options.parse_args()
    start = time.perf_counter()
    rows = convert(chosen.capture, chosen.folder, () if chosen.no_dns else DNS_PORTS)
    print(json.dumps({"seconds": time.perf_counter() - start} | rows))


if __name__ == "__main__":
    main()
