"""What recording any cluster takes: captures, and the files that are written."""

import gzip
import json
import signal
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from pathlib import Path

from samples.cluster.plan import Node, Plan
from samples.cluster.stage import STOP_S, Stage, wait_until

CAPTURE_LEAD_S = 3


class Recorder(Stage, ABC):
    """One recording under way; a sample adds its programs and its timeline."""

    def __init__(self, plan: Plan, work: Path) -> None:
        super().__init__(plan, work)
        self.captures: dict[str, subprocess.Popen[bytes]] = {}

    def role(self, name: str, events: str) -> list[str]:
        """The command of one of the sample's own programs."""
        return [sys.executable, "-m", f"samples.{self.plan.cluster}.roles", name, str(self.events(events))]

    def start_delay(self, line: str, milliseconds: int) -> None:
        words = [sys.executable, "-m", "samples.cluster.delay", "near", "far", str(milliseconds)]
        self.start(line, line, words)

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

    def kill(self) -> None:
        super().kill()
        for process in self.captures.values():
            process.kill()
            process.wait()

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
