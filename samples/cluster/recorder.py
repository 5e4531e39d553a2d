"""What recording any cluster takes: programs in namespaces, pods that begin and end, captures, files."""

import gzip
import json
import signal
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

from samples.cluster import daemons, topology
from samples.cluster.lives import Book, Life
from samples.cluster.plan import Node, Plan, Pod

ROOT = Path(__file__).resolve().parents[2]
# Programs die with the recorder, and see the resolver files of their pod; mounts stay in their own mount namespace.
IN_POD = 'd=$1; shift; for f in "$d"/*; do mount --bind "$f" "/etc/${f##*/}" || exit 1; done; exec "$@"'
READY_S = 10
STOP_S = 15
CAPTURE_LEAD_S = 3


class Recorder(ABC):
    """One recording under way; a sample adds its programs and its timeline."""

    def __init__(self, plan: Plan, work: Path) -> None:
        self.plan = plan
        self.work = work
        self.book = Book(plan, began=time.time())
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.captures: dict[str, subprocess.Popen[bytes]] = {}

    def directory(self, name: str) -> Path:
        path = self.work / name
        path.mkdir(exist_ok=True)
        return path

    def events(self, name: str) -> Path:
        return self.directory("events") / f"{name}.jsonl"

    def role(self, name: str, events: str) -> list[str]:
        """The command of one of the sample's own programs."""
        return [sys.executable, "-m", f"samples.{self.plan.cluster}.roles", name, str(self.events(events))]

    def start(self, name: str, place: str, command: list[str], resolver: Path | None = None) -> None:
        within = ["sh", "-c", IN_POD, "sh", str(resolver), *command] if resolver else command
        words = ["ip", "netns", "exec", self.plan.netns(place), "setpriv", "--pdeathsig", "KILL", *within]
        with (self.directory("output") / name).open("wb") as output:
            self.processes[name] = subprocess.Popen(words, stdout=output, stderr=output, cwd=ROOT)

    def start_delay(self, line: str, milliseconds: int) -> None:
        words = [sys.executable, "-m", "samples.cluster.delay", "near", "far", str(milliseconds)]
        self.start(line, line, words)

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

    def capture(self, node: Node) -> None:
        path = self.work / f"{node.name}.pcapng"
        words = ["dumpcap", "-q", "-B", "16", "-w", str(path)]
        for interface in [pod.veth for pod in self.plan.pods_on(node)] + ["eth0"]:
            words += ["-i", interface]
        self.start(f"dumpcap-{node.name}", node.name, words)
        self.captures[node.name] = self.processes.pop(f"dumpcap-{node.name}")
        wait_until(lambda: path.exists() and path.stat().st_size > 0, f"dumpcap on {node.name} has not begun")

    def begin_captures(self) -> None:
        for node in self.plan.nodes.values():
            self.capture(node)
        self.book.captured_from = time.time()

    def end_captures(self) -> None:
        self.book.captured_until = time.time()
        for name, capture in self.captures.items():
            time.sleep(1)
            capture.send_signal(signal.SIGINT)
            capture.wait(STOP_S)
            said = (self.work / "output" / f"dumpcap-{name}").read_text()
            lost = [line for line in said.splitlines() if "received/dropped on interface" in line and "/0 " not in line]
            if lost:
                raise RuntimeError(f"the capture on {name} lost packets, record again: {'; '.join(lost)}")

    def stop(self, names: list[str]) -> None:
        for name in names:
            self.processes[name].send_signal(signal.SIGTERM)
        for name in names:
            self.processes.pop(name).wait(STOP_S)

    def kill(self) -> None:
        for process in (*self.processes.values(), *self.captures.values()):
            process.kill()
            process.wait()

    def wait_for_port(self, place: str, port: int) -> None:
        self.wait_for_listener(place, f":{port}")

    def wait_for_listener(self, place: str, address: str) -> None:
        """Until somebody listens on ``ip:port``, or on ``:port`` of whichever address."""

        def listening() -> bool:
            return f"{address} " in topology.inside(self.plan.netns(place), "ss", "-Hltun")

        wait_until(listening, f"{place}: nobody listens on {address}")

    @abstractmethod
    def run(self) -> None:
        """Build the cluster and let it live."""

    @abstractmethod
    def files(self) -> dict[str, object]:
        """What is written beside the captures, by file name."""

    def write(self, out: Path) -> None:
        out.mkdir(parents=True, exist_ok=True)
        for node in self.plan.nodes:
            raw = (self.work / f"{node}.pcapng").read_bytes()
            (out / f"{node}.pcapng.gz").write_bytes(gzip.compress(raw, 9, mtime=0))
        for name, content in self.files().items():
            (out / name).write_text(json.dumps(content, indent=1) + "\n")


def wait_until(condition: Callable[[], bool], complaint: str, ready_s: float = READY_S) -> None:
    deadline = time.monotonic() + ready_s
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{complaint} after {ready_s:g} s")
        time.sleep(0.05)
