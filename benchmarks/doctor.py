"""The DNS doctor over a day of a lake of fifty million transactions: every diagnosis, the whole report, the page.

There is no peer to compare with. Each round therefore asks DuckDB the least that any answer has to ask, on the same day, for scale:
how many transactions there are of each client, name and ending.
"""

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path

from benchmarks import machine
from benchmarks.doctor_stages import FINDINGS, PAGE
from benchmarks.measure import run
from benchmarks.past import NAMES, scaled

ROUNDS = 3
GOAL, PAGE_GOAL = 5.0, 2.0  # seconds
FINDINGS_GOAL = 10.0  # of nineteen questions, while the rest of the page can be read


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cache = Path(tempfile.gettempdir()) / "tailrace-benchmarks"
    options.add_argument("--folder", type=Path, default=cache, help="where the lake is kept (%(default)s)")
    options.add_argument("--rounds", type=int, default=ROUNDS)
    options.add_argument("--days", type=int, default=NAMES.days, help="over which the transactions lie (%(default)s)")
    options.add_argument("--divide", type=int, default=1, metavar="N", help="N times fewer records, to try it out")
    chosen = options.parse_args()
    past = scaled(NAMES, chosen.divide)
    folder = chosen.folder / f"names-{past.transactions}-{chosen.days}"
    print(machine.describe(), flush=True)
    say(f"making {past.transactions:,} transactions, unless they are there")
    with tempfile.TemporaryDirectory() as output:
        make = ["-m", "benchmarks.past", folder, "--names", "--divide", chosen.divide, "--days", chosen.days]
        run([sys.executable, *make], Path(output), limit=7200)
        rounds = []
        for number in range(chosen.rounds):
            say(f"round {number + 1} of {chosen.rounds}")
            told = run([sys.executable, "-m", "benchmarks.doctor_stages", folder / "lake"], Path(output))
            rounds.append(json.loads(told.output.splitlines()[-1]))
    medians = {name: statistics.median(one["taken"][name] for one in rounds) for name in rounds[0]["taken"]}
    print(report(rounds[0], past.transactions, chosen.days, medians))
    goals = {PAGE: PAGE_GOAL, FINDINGS: FINDINGS_GOAL}
    raise SystemExit(0 if all(taken < goals.get(name, GOAL) for name, taken in medians.items()) else 1)


def report(told: dict[str, int], transactions: int, days: int, medians: dict[str, float]) -> str:
    floor = next(iter(medians.values()))
    lines = [
        "",
        f"{transactions:,} transactions in {days} days, of the last day {told['transactions']:,} in {told['records']:,} records and"
        f" {told['resolutions']:,} resolutions. Seconds, medians; a question may take {GOAL:.0f}, the page {PAGE_GOAL:.0f}, its"
        f" findings {FINDINGS_GOAL:.0f}.",
        "",
        "| what | s | / the floor |",
        "|---|---:|---:|",
    ]
    return "\n".join(lines + [f"| {name} | {taken:.2f} | {taken / floor:.1f} × |" for name, taken in medians.items()])


def say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
