"""`tailrace policy replay` of 200 policies over ten million flow records, and where its time goes.

There is no peer to compare with. Each round therefore asks DuckDB the least that any answer has to ask, on the same records, for
scale: how many there are of each pair of ends, protocol and port, without counting connections once.
"""

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path

from benchmarks import machine
from benchmarks.measure import Run, run
from benchmarks.past import Past, scaled

ROUNDS = 3
GOAL = 10.0  # seconds
DENIES = 3


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cache = Path(tempfile.gettempdir()) / "tailrace-benchmarks"
    options.add_argument("--folder", type=Path, default=cache, help="where the lake is kept (%(default)s)")
    options.add_argument("--rounds", type=int, default=ROUNDS)
    options.add_argument("--divide", type=int, default=1, metavar="N", help="N times fewer records, to try it out")
    chosen = options.parse_args()
    past = scaled(Past(), chosen.divide)
    folder = chosen.folder / f"past-{past.records}"
    print(machine.describe(), flush=True)
    say(f"making {past.records:,} records, unless they are there")
    with tempfile.TemporaryDirectory() as output:
        run([sys.executable, "-m", "benchmarks.past", folder, "--divide", chosen.divide], Path(output))
        rounds = [once(folder, Path(output), number + 1, chosen.rounds) for number in range(chosen.rounds)]
    print(report(past, rounds))
    raise SystemExit(0 if statistics.median(whole.wall for whole, _ in rounds) < GOAL else 1)


def once(folder: Path, output: Path, number: int, rounds: int) -> tuple[Run, dict[str, list[float]]]:
    """The whole command, and its stages in a process of their own."""
    say(f"round {number} of {rounds}")
    files = [folder / "policies", "--lake", folder / "lake", "--kube", folder / "objects.json"]
    whole = run([sys.executable, "-m", "cli", "policy", "replay", *files], output, status=DENIES)
    return whole, json.loads(run([sys.executable, "-m", "benchmarks.replay_stages", folder], output).output)


def report(past: Past, rounds: list[tuple[Run, dict[str, list[float]]]]) -> str:
    wall, cpu = (statistics.median(getattr(whole, name) for whole, _ in rounds) for name in ("wall", "cpu"))
    peak = max(whole.peak for whole, _ in rounds)
    lines = [
        "",
        f"`tailrace policy replay`, {past.records:,} records, {past.policies} policies: {wall:.2f} s, {cpu:.2f} s of CPU,"
        f" {peak / 1e6:.0f} MB; the goal is {GOAL:.0f} s. Median of {len(rounds)}.",
        "",
        "| stage | wall s | CPU s | CPU / that of the floor |",
        "|---|---:|---:|---:|",
    ]
    medians = {
        name: [statistics.median(stages[name][place] for _, stages in rounds) for place in range(2)]
        for name in rounds[0][1]
    }
    floor = medians["floor: ends, protocol, port of every record"][1]
    lines += [f"| {name} | {wall:.2f} | {cpu:.2f} | {cpu / floor:.2f} × |" for name, (wall, cpu) in medians.items()]
    return "\n".join(lines)


def say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
