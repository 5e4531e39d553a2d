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
from analysis.dns.finding import Finding, Severity
from benchmarks.names import attacks, benign
from benchmarks.names.lakes import Call, Client, append_day, midnight
from store.lake import Lake

DAYS = 20
WORKLOADS = 110  # ten of each role
HOST = "service"  # the role of the workloads that are attacked


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
    options.add_argument("--why", action="store_true", help="what each false alarm says")
    given = options.parse_args()
    with TemporaryDirectory(prefix="tailrace-detections-") as folder:
        lake = Lake.create(Path(folder))
        found = [one for day in range(given.days) for one in _day(lake, day, given.workloads, given.seed)]
    _print(found, given.days, given.workloads)
    if given.why:
        for one in found:
            if "/" not in one.workload:
                print(f"{one.detection}: {one.workload}: {one.finding.says}")


def _day(lake: Lake, day: int, workloads: int, seed: int) -> Iterator[Found]:
    append_day(lake, day, _calls(day, workloads, seed))
    report = detect(lake, {"since": midnight(day), "until": midnight(day + 1)}, timeout_s=120)
    for finding in report.findings:
        yield Found(day, finding.diagnosis, finding.severity, _workload(finding), finding)


def _calls(day: int, workloads: int, seed: int) -> list[Call]:
    roles = [f"{list(benign.ROLES)[number % len(benign.ROLES)]}-{number}" for number in range(workloads)]
    calls = [
        (Client(name, f"10.244.0.{number}"), one)
        for number, name in enumerate(roles)
        for one in _benign(name, day, seed)
    ]
    for detection, kinds in attacks.ATTACKS.items():
        for number, (name, attack) in enumerate(kinds.items()):
            client = Client(f"attack/{detection}/{name}", f"10.244.9.{number}")
            both = [*benign.a_day(HOST, f"{seed} {name} {day}"), *attack(Random(f"{seed} {day} {name}"))]
            calls += [(client, one) for one in both]
    return calls


def _benign(name: str, day: int, seed: int) -> Sequence:
    return benign.a_day(name.rpartition("-")[0], f"{seed} {name} {day}")


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
        wrong = [one for one in found if one.detection == detection.name and _false(one)]
        roles = Counter(f"{one.workload.rpartition('-')[0]} ({one.severity.word})" for one in wrong)
        told = ", ".join(f"{role}: {count}" for role, count in sorted(roles.items())) or "none"
        print(f"| `{detection.name}` | {len(wrong)} | {len(wrong) / client_days:.4f} | {told} |")


def _false(one: Found) -> bool:
    """Of a benign workload, or of one that was attacked in another way."""
    return not one.workload.startswith(f"attack/{one.detection}/")


if __name__ == "__main__":
    main()
