"""Fuzz the collector: ``python -m tests.fuzz [--packets N] [--seed N] [--first ROUND] [--out DIR] [--replay FILE]``.

What fails is left in DIR as a small capture. Once the fault is mended it becomes ``tests/golden/collector/<case>/capture.pcap``
(any form of capture will do), whose records ``make bless`` writes down.
"""

import argparse
import os
import sys
from pathlib import Path


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Fuzz the collector.")
    parser.add_argument("--packets", type=int, default=100_000_000, help="how many changed packets to give it")
    parser.add_argument("--seed", type=int, default=1, help="of the run; the same seed gives the same packets")
    parser.add_argument("--first", type=int, default=0, help="the round to begin with")
    parser.add_argument("--out", type=Path, default=Path("build/fuzz"), help="for the kernel cache and what fails")
    parser.add_argument("--replay", type=Path, help="run a capture that was written when something failed")
    return parser.parse_args()


def main() -> int:
    given = arguments()
    given.out.mkdir(parents=True, exist_ok=True)
    os.environ["TAILRACE_CACHE"] = str((given.out / "cache").resolve())
    from tests.fuzz import campaign  # only now: a kernel looks for its code when it is first called

    campaign.warm_up()
    if given.replay:
        return campaign.replayed(given.replay)
    return campaign.Campaign(given.packets, given.seed, given.first, given.out).run()


if __name__ == "__main__":
    sys.exit(main())
