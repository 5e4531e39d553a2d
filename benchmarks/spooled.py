"""Prints as JSON what the coverage says that waits in the spool of a collector which has ended: packets seen, and lost."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from collector.transport.spool import DiskSpool
from contract.coverage import COVERAGE
from contract.wire import decode, opened

LIMIT = 1 << 40  # octets: nothing is to be given up


def coverage(folder: Path) -> Iterator[pa.RecordBatch]:
    spool = DiskSpool(folder, LIMIT)
    for index in range(spool.mark, spool.end):
        stored = spool.read(index)
        if stored is not None and (envelope := opened(stored.headers)).table == COVERAGE.name:
            yield decode(envelope, stored.value)
    spool.close()


def main() -> None:
    rows = pa.Table.from_batches(coverage(Path(sys.argv[1])), COVERAGE.schema)
    seen, lost = (sum(number or 0 for number in rows[name].to_pylist()) for name in ("packets", "kernel_drops"))
    print(json.dumps({"seen": seen, "lost": lost}))


if __name__ == "__main__":
    main()
