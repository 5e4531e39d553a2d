"""Is what the DNS doctor predicts of a fix of the search path what a recording with that fix shows?

``BEFORE`` and ``AFTER`` are recordings of ``samples.shop.record``; ``--ndots`` is given as to the recorder. Workloads without it
are taken to have the names written out that the doctor would have written. Queries are counted in the lake and, beside it, by the
name servers' own logs (``truth.json``); as programs do not make the same number of calls twice, figures are compared by the call.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from analysis.dns.doctor import examine
from analysis.dns.finding import Context, Finding
from analysis.questions import ask
from benchmarks.measure import ROOT
from store.lake import Lake

# A workload of some hundred calls whose figures differ by more has not been predicted.
CLOSE = 0.005


class Asked(NamedTuple):
    """What one workload asked in one recording; ``logged`` by the name servers."""

    calls: int
    queries: int
    logged: int


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search_path", description=__doc__)
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--ndots", action="append", default=[], metavar="NAMESPACE/WORKLOAD=DOTS")
    given = parser.parse_args()
    ndots = dict(workload.split("=") for workload in given.ndots)
    with tempfile.TemporaryDirectory() as folder:
        lakes = [ingested(recording, Path(folder) / recording.name) for recording in (given.before, given.after)]
        findings = examine(lakes[0], {}, Context(), ["search_path"]).findings
        before, after = (asked(lake, path) for lake, path in zip(lakes, (given.before, given.after), strict=True))
    return report(findings, before, after, ndots)


def ingested(recording: Path, lake: Path) -> Lake:
    captures = [f"{path.name.split('.')[0]}={path}" for path in sorted(recording.glob("node-*.pcapng.gz"))]
    objects = ["--kube", str(recording / "objects.json"), "--cluster", "shop"]
    subprocess.run(
        [sys.executable, "-m", "cli", "ingest", *captures, *objects, "--lake", str(lake)], cwd=ROOT, check=True
    )
    return Lake.open(lake)


def asked(lake: Lake, recording: Path) -> dict[str, Asked]:
    calls: Counter[str] = Counter()
    queries: Counter[str] = Counter()
    for row in ask(lake, "dns/search_path", {"least": 0}).table.to_pylist():
        workload = f"{row['client_namespace']}/{row['client_name']}"
        calls[workload] += row["resolutions"]
        queries[workload] += row["queries"]
    truth = json.loads((recording / "truth.json").read_text())["dns_queries"]
    logged = {f"{one['client']['namespace']}/{one['client']['workload']}": one["queries"] for one in truth}
    return {workload: Asked(calls[workload], queries[workload], logged.get(workload, 0)) for workload in calls}


def predicted(finding: Finding, ndots: str | None) -> int:
    """Queries of the first recording, had the fix been there."""
    if ndots is not None:
        return int(finding.evidence["queries_by_ndots"][ndots])
    return int(finding.evidence["queries"] - sum(name["wasted_queries"] for name in finding.evidence["names"]))


def report(
    findings: Iterable[Finding], before: dict[str, Asked], after: dict[str, Asked], ndots: dict[str, str]
) -> int:
    print(
        "| workload | fix | calls, queries (by the servers) before | predicted | after | a call: predicted | measured |"
    )
    print("|---|---|---:|---:|---:|---:|---:|")
    wrong = 0
    for finding in findings:
        workload = finding.subject
        was, now, fix = before[workload], after[workload], ndots.get(workload)
        queries = predicted(finding, fix)
        of_a_call, measured = queries / was.calls, now.queries / now.calls
        wrong += abs(of_a_call - measured) > CLOSE * measured
        print(
            f"| {workload} | {'names written out' if fix is None else f'ndots:{fix}'} | {was.calls}, {was.queries} ({was.logged})"
            f" | {queries} | {now.calls}, {now.queries} ({now.logged}) | {of_a_call:.3f} | {measured:.3f} |"
        )
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
