"""A cluster under way: programs in namespaces, pods that begin and end."""

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from samples.cluster import daemons, topology
from samples.cluster.lives import Book, Life
from samples.cluster.plan import Plan, Pod

ROOT = Path(__file__).resolve().parents[2]
# Programs die with whoever started them, and see the resolver files of their pod; mounts stay in their own mount namespace.
IN_POD = 'd=$1; shift; for f in "$d"/*; do mount --bind "$f" "/etc/${f##*/}" || exit 1; done; exec "$@"'
READY_S = 10
STOP_S = 15


class Stage:
    """``work`` keeps what the programs read and write."""

    def __init__(self, plan: Plan, work: Path) -> None:
        self.plan = plan
        self.work = work
        self.book = Book(plan, began=time.time())
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def directory(self, name: str) -> Path:
        path = self.work / name
        path.mkdir(exist_ok=True)
        return path

    def events(self, name: str) -> Path:
        return self.directory("events") / f"{name}.jsonl"

    def start(self, name: str, place: str, command: list[str], resolver: Path | None = None) -> None:
        within = ["sh", "-c", IN_POD, "sh", str(resolver), *command] if resolver else command
        words = ["ip", "netns", "exec", self.plan.netns(place), "setpriv", "--pdeathsig", "KILL", *within]
        with (self.directory("output") / name).open("wb") as output:
            self.processes[name] = subprocess.Popen(words, stdout=output, stderr=output, cwd=ROOT)

    def give_address(self, pod: Pod) -> None:
        self.book.lives[pod.key] = Life(time.time())
        topology.give_address(self.plan, pod)

    def create(self, pod: Pod, command: list[str]) -> None:
        """A pod begins: address, resolver files, program."""
        if pod.key not in self.book.lives:
            self.give_address(pod)
        resolver = self.directory("resolver") / pod.key
        daemons.write_resolver_files(self.plan, resolver, pod)
        self.start(pod.key, pod.key, command, resolver)
        for port in set(pod.ports.values()) if pod.listens else ():
            self.wait_for_port(pod.key, port)

    def stop(self, names: list[str]) -> None:
        for name in names:
            self.processes[name].send_signal(signal.SIGTERM)
        for name in names:
            self.processes.pop(name).wait(STOP_S)

    def kill(self) -> None:
        for process in self.processes.values():
            process.kill()
            process.wait()

    def wait_for_port(self, place: str, port: int) -> None:
        self.wait_for_listener(place, f":{port}")

    def wait_for_listener(self, place: str, address: str) -> None:
        """Until somebody listens on ``ip:port``, or on ``:port`` of whichever address."""

        def listening() -> bool:
            return f"{address} " in topology.inside(self.plan.netns(place), "ss", "-Hltun")

        wait_until(listening, f"{place}: nobody listens on {address}")


def wait_until(condition: Callable[[], bool], complaint: str, ready_s: float = READY_S) -> None:
    deadline = time.monotonic() + ready_s
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{complaint} after {ready_s:g} s")
        time.sleep(0.05)
