"""Write what the collector makes of a capture as Arrow files, so that runs of two processes can be compared.

python -m tests.support.collected CAPTURE OUT
"""

import sys
from pathlib import Path

import pyarrow as pa

from collector.kernels.state import Bounds
from tests.support.frames import from_path


def main(path: str, out: str) -> None:
    seen = from_path(Path(path), Bounds(1 << 14, 1 << 12))
    for name in ("flows", "dns", "coverage"):
        table = getattr(seen, name)
        with pa.OSFile(f"{out}/{name}.arrow", "wb") as file, pa.ipc.new_file(file, table.schema) as sink:
            sink.write_table(table.combine_chunks())


if __name__ == "__main__":
    main(*sys.argv[1:])
