"""``python -m benchmarks.detections``: how many attacks each detection finds, and how often it is wrong.

Workloads of eleven roles ask for what such workloads ask for, day by day. Every day each attack comes from a workload
of its own, which does its usual work beside. The detections run over each day, as a nightly report would.
"""

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import NamedTuple

from analysis.detect.detections import DETECTIONS, detect
from analysis.detect.known import KNOWN
from analysis.dns.finding import Finding, Severity
from benchmarks.names import attacks, benign
from benchmarks.names.lakes import Call, Client, append_day, midnight
from store.lake import Lake

DAYS = 20
WORKLOADS = 110  # ten of each role
HOST = "service"  # the role of the workloads that are attacked
TIMEOUT_S = 120.0


class Day(NamedTuple):
    number: int
    workloads: int
    seed: int


class Found(NamedTuple):
    day: int
    detection: str
    severity: Severity
    workload: str
    finding: Finding


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--days", type=int, default=DAYS)
    options.add_argument("--workloads", type=int, default=WORKLOADS)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument(
        "--no-known", action="store_true", help="without the list of zones that are known to be harmless"
    )
    options.add_argument("--why", action="store_true", help="what each false alarm says")
    given = options.parse_args()
    with TemporaryDirectory(prefix="tailrace-detections-") as folder:
        lake = Lake.create(Path(folder))
        known = frozenset() if given.no_known else KNOWN
        found = [one for day in range(given.days) for one in day_of(lake, Day(day, given.workloads, given.seed), known)]
    _print(found, given.days, given.workloads)
    if given.why:
        for one in found:
            if is_false(one):
                print(f"{one.detection}: {one.workload}: {one.finding.says}")


def day_of(lake: Lake, day: Day, known: frozenset[str]) -> Iterator[Found]:
    append_day(lake, day.number, _calls(day))
    window = {"since": midnight(day.number), "until": midnight(day.number + 1)}
    for finding in detect(lake, window, known=known, timeout_s=TIMEOUT_S).findings:
        yield Found(day.number, finding.diagnosis, finding.severity, _workload(finding), finding)


def _calls(day: Day) -> list[Call]:
    roles = list(benign.ROLES)
    calls: list[Call] = []
    for number in range(day.workloads):
        role = roles[number % len(roles)]
        client = Client(f"{role}-{number}", f"10.244.{number // 250}.{number % 250}")
        calls += [(client, one) for one in benign.a_day(role, f"{day.seed} {client.workload} {day.number}")]
    for detection, kinds in attacks.ATTACKS.items():
        for number, (name, attack) in enumerate(kinds.items()):
            client, seed = Client(f"attack/{detection}/{name}", f"10.245.0.{number}"), f"{day.seed} {name} {day.number}"
            calls += [(client, one) for one in (*benign.a_day(HOST, seed), *attack(Random(seed)))]
    return calls


def _workload(finding: Finding) -> str:
    row = finding.evidence
    return str(row.get("client_name") or row["client"].removeprefix("made-up/"))


def _print(found: Sequence[Found], days: int, workloads: int) -> None:
    client_days = days * workloads
    print(f"{days} days of {workloads} benign workloads: {client_days} client-days\n")
    print("| detection | attack | days found |\n|---|---|---|")
    for detection, kinds in attacks.ATTACKS.items():
        for name in kinds:
            hits = {
                one.day for one in found if (one.detection, one.workload) == (detection, f"attack/{detection}/{name}")
            }
            print(f"| `{detection}` | {name.replace('_', ' ')} | {len(hits)} of {days} |")
    print("\n| detection | false alarms | a client-day | by role |\n|---|---|---|---|")
    for detection in DETECTIONS:
        wrong = [one for one in found if one.detection == detection.name and is_false(one)]
        roles = Counter(f"{one.workload.rpartition('-')[0]} ({one.severity.word})" for one in wrong)
        told = ", ".join(f"{role}: {count}" for role, count in sorted(roles.items())) or "none"
        print(f"| `{detection.name}` | {len(wrong)} | {len(wrong) / client_days:.4f} | {told} |")


def is_false(one: Found) -> bool:
    """Of a benign workload, or of one that was attacked in another way."""
    return not one.workload.startswith(f"attack/{one.detection}/")


if __name__ == "__main__":
    main()
