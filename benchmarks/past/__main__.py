"""Make a past in a folder, unless it is there."""

import argparse
from pathlib import Path

from benchmarks.past import Past, scaled
from benchmarks.past.write import write


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m benchmarks.past", description=__doc__)
    options.add_argument("folder", type=Path)
    options.add_argument("--divide", type=int, default=1, metavar="N", help="N times fewer records")
    chosen = options.parse_args()
    write(scaled(Past(), chosen.divide), chosen.folder)


if __name__ == "__main__":
    main()
