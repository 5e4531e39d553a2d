"""Write one trace to a folder, and print as JSON where it is and what it holds; or write it to stdout."""

import argparse
import json
import sys
from pathlib import Path

from benchmarks.traces import TRACES, scaled
from benchmarks.traces.write import expected, stream, taken, write


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m benchmarks.traces", description=__doc__)
    options.add_argument("name", choices=TRACES)
    options.add_argument("--folder", type=Path, help="without it the trace goes to stdout")
    options.add_argument("--first", type=int, metavar="N", help="only so many packets")
    options.add_argument("--divide", type=int, default=1, metavar="N", help="the same traffic, N times less of it")
    chosen = options.parse_args()
    trace = scaled(TRACES[chosen.name], chosen.divide)
    if chosen.folder:
        chosen.folder.mkdir(parents=True, exist_ok=True)
        path = write(trace, chosen.folder, chosen.first)
        print(json.dumps({"path": str(path), "packets": taken(trace, chosen.first)} | expected(trace)._asdict()))
    else:
        stream(trace, sys.stdout.buffer, chosen.first)


if __name__ == "__main__":
    main()
