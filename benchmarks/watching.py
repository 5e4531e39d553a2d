"""A cluster watched: what it takes to know so many pods, what one change costs, and a day of events through HTTP.

The server is the fake one of the tests, in a process of its own, so that memory is the watcher's alone.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from benchmarks import machine
from enricher.watch.api import read_config
from enricher.watch.watcher import Watcher
from tests.support.churn import Churn
from tests.support.fake_api import FakeApi, kubeconfig

Result = TypeVar("Result")
CHANGES = 20
PATIENCE_S = 600.0


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--pods", type=int, nargs="+", default=[10_000, 100_000])
    options.add_argument(
        "--day-pods", type=int, default=2_000, help="how many the cluster of the day has (%(default)s)"
    )
    options.add_argument("--an-hour", type=int, default=720, help="how many of them are replaced an hour (%(default)s)")
    options.add_argument("--serve", type=int, metavar="PODS", help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.serve is not None:
        serve(chosen.serve)
        return
    print(machine.describe())
    print("\n| pods | list s | MB more | first snapshot s | after one change s | drain with objects s |")
    print("|---:|---:|---:|---:|---:|---:|")
    for pods in chosen.pods:
        print(known(pods), flush=True)
    print(f"\nA day: {chosen.day_pods:,} pods, {chosen.an_hour} replaced an hour.\n")
    print("| hour | events | holdings | MB |\n|---:|---:|---:|---:|")
    day(chosen.day_pods, chosen.an_hour)


def known(pods: int) -> str:
    before = resident()
    with Served(pods) as served:
        watcher, listed = timed(served.watch)
        whole, first = timed(watcher.snapshot)
        assert whole.assignments.num_rows >= pods
        changes = [served.change(watcher) for _ in range(CHANGES)]
        _, drained = timed(watcher.drain)
        more = resident() - before
        watcher.stop()
    change = statistics.median(changes)
    return f"| {pods:,} | {listed:.1f} | {more:.0f} | {first:.2f} | {change:.3f} | {drained:.2f} |"


def day(pods: int, an_hour: int) -> None:
    with Served(pods) as served:
        watcher = served.watch()
        for hour in range(24):
            served.ask(an_hour)
            until(lambda: watcher.counts()["objects"] == served.objects and served.is_heard(watcher))
            watcher.drain()
            if hour % 3 == 2:
                events = sum(one.events for one in watcher.followers)
                print(f"| {hour + 1} | {events:,} | {watcher.counts()['holdings']:,} | {resident():.0f} |", flush=True)
        watcher.stop()


class Served:
    """The other process: asked by a line of JSON, answers with one."""

    def __init__(self, pods: int) -> None:
        command = [sys.executable, "-m", "benchmarks.watching", "--serve", str(pods)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.url = ""
        self.objects = 0
        self.newest = ""
        self.now = 0.0

    def __enter__(self) -> "Served":
        self._hear()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()

    def ask(self, replaced: int) -> None:
        """For an hour in which so many pods are replaced."""
        assert self._process.stdin
        print(replaced, file=self._process.stdin, flush=True)
        self._hear()

    def watch(self) -> Watcher:
        """As soon as it knows all of them."""
        with tempfile.TemporaryDirectory() as folder:
            config = read_config(kubeconfig(self.url, Path(folder)))
        watcher = Watcher(config, "bench", lambda: datetime.fromtimestamp(self.now, UTC), lambda _: None)
        watcher.start()
        until(lambda: watcher.is_synced)
        return watcher

    def change(self, watcher: Watcher) -> float:
        """How long a snapshot takes after one pod was replaced."""
        self.ask(1)
        until(lambda: watcher.counts()["objects"] == self.objects, pause_s=0.2)
        return timed(watcher.snapshot)[1]

    def is_heard(self, watcher: Watcher) -> bool:
        names = watcher.snapshot().assignments.select(["ip", "name"])["name"].to_pylist()
        return self.newest in names

    def _hear(self) -> None:
        assert self._process.stdout
        told = json.loads(self._process.stdout.readline())
        self.url, self.objects, self.newest, self.now = told


def serve(pods: int) -> None:
    with FakeApi(history=20_000) as api:
        churn = Churn(api, pods)
        answer(api, churn)
        for line in sys.stdin:
            for _ in churn.hours(1, json.loads(line)):
                answer(api, churn)


def answer(api: FakeApi, churn: Churn) -> None:
    newest = max(churn.addresses().values(), key=lambda name: int(name.rpartition("-")[2]))
    print(json.dumps([api.url, api.size(), newest, churn.now.timestamp()]), flush=True)


def timed(call: Callable[[], Result]) -> tuple[Result, float]:
    begun = time.perf_counter()
    return call(), time.perf_counter() - begun


def until(happened: Callable[[], bool], pause_s: float = 0.02) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.sleep(pause_s) or not happened():
        if time.monotonic() > deadline:
            raise SystemExit(f"did not happen in {PATIENCE_S:.0f} s")


def resident() -> float:
    """Megabytes of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 1e6


if __name__ == "__main__":
    main()
