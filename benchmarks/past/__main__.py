"""Make a past in a folder, unless it is there."""

import argparse
from dataclasses import replace
from pathlib import Path

from benchmarks.past import NAMES, Past, scaled
from benchmarks.past.write import write


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m benchmarks.past", description=__doc__)
    options.add_argument("folder", type=Path)
    options.add_argument("--divide", type=int, default=1, metavar="N", help="N times fewer records")
    options.add_argument("--names", action="store_true", help="mostly DNS")
    options.add_argument("--days", type=int, help="over which they lie")
    chosen = options.parse_args()
    past = scaled(NAMES if chosen.names else Past(), chosen.divide)
    write(replace(past, days=chosen.days or past.days), chosen.folder)


if __name__ == "__main__":
    main()
