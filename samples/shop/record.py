"""Record the shop sample: ``python -m samples.shop.record OUT``, as root."""

import argparse
import gzip
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from samples.shop import daemons, kubernetes, plan, topology, truth
from samples.shop.lives import Book, Life
from samples.shop.plan import NODES, PODS, Node, Pod

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {
    "ip": "iproute2",
    "ss": "iproute2",
    "bridge": "iproute2",
    "ethtool": "ethtool",
    "nft": "nftables",
    "sysctl": "procps",
    "setpriv": "util-linux",
    "curl": "curl",
    "openssl": "openssl",
    "unbound": "unbound",
    "nsd": "nsd",
    "nginx": "nginx-light",
    "redis-server": "redis-server",
    "dumpcap": "wireshark-common",
}
# Programs die with the recorder, and see the resolver files of their pod; mounts stay in their own mount namespace.
IN_POD = 'd=$1; shift; for f in "$d"/*; do mount --bind "$f" "/etc/${f##*/}" || exit 1; done; exec "$@"'
SERVERS = (
    *("coredns-1", "coredns-2", "redis-0", "ledger-0", "logs"),
    *("payments", "api-1", "api-2", "frontend-1", "frontend-2"),
)
CLIENTS = ("loader", "recommender", "campaign", "fx-rates", "prometheus", "node-agent-1", "node-agent-2", "netdebug")
MAX_NDOTS = 15
READY_S = 10
STOP_S = 15
CAPTURE_LEAD_S = 3


class Recorder:
    def __init__(self, work: Path, ndots: dict[str, int]) -> None:
        self.work = work
        self.ndots = ndots
        self.book = Book(began=time.time())
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.captures: dict[str, subprocess.Popen[bytes]] = {}

    def run(self) -> None:
        topology.build()
        self.start_outside()
        for key in SERVERS:
            self.create(PODS[key])
        for key in CLIENTS:
            self.book.lives[key] = Life(time.time())
            topology.give_address(PODS[key])
        for node in NODES.values():
            self.start(f"kubelet-metrics-{node.name}", node.netns, role("kubelet-metrics", self.events(node.name)))
            wait_for_port(node.netns, 10250)
        self.wait_for_second(plan.START_SECOND - CAPTURE_LEAD_S)
        for node in NODES.values():
            self.capture(node)
        self.book.captured_from = time.time()
        self.wait_for_second(plan.START_SECOND)
        self.play()
        self.stop_all()
        self.book.captured_until = time.time()
        for node in NODES.values():
            self.end_capture(node)

    def directory(self, name: str) -> Path:
        path = self.work / name
        path.mkdir(exist_ok=True)
        return path

    def events(self, name: str) -> Path:
        return self.directory("events") / f"{name}.jsonl"

    def start(self, name: str, netns: str, command: list[str], resolver: Path | None = None) -> None:
        within = ["sh", "-c", IN_POD, "sh", str(resolver), *command] if resolver else command
        words = ["ip", "netns", "exec", netns, "setpriv", "--pdeathsig", "KILL", *within]
        with (self.directory("output") / name).open("wb") as output:
            self.processes[name] = subprocess.Popen(words, stdout=output, stderr=output, cwd=ROOT)

    def start_outside(self) -> None:
        web = self.directory("outside-web")
        topology.run(*daemons.certificate_command(web))
        self.start("nsd", topology.OUTSIDE, daemons.nsd(self.directory("outside-dns")))
        self.start("outside-web", topology.OUTSIDE, daemons.nginx_outside(web))
        for port in (53, 80, 443):
            wait_for_port(topology.OUTSIDE, port)

    def create(self, pod: Pod) -> None:
        """A pod begins: address, resolver files, program."""
        if pod.key not in self.book.lives:
            self.book.lives[pod.key] = Life(time.time())
            topology.give_address(pod)
        resolver = self.directory("resolver") / pod.key
        daemons.write_resolver_files(resolver, pod, self.ndots.get(f"{pod.namespace}/{pod.workload}", plan.NDOTS))
        server = daemons.server_command(self.directory(pod.key), pod)
        self.start(pod.key, pod.netns, server or role(pod.workload, self.events(pod.key)), resolver)
        for port in set(pod.ports.values()):
            wait_for_port(pod.netns, port)

    def delete(self, key: str) -> None:
        self.book.lives[key].deleted = time.time()
        self.processes[key].send_signal(signal.SIGTERM)

    def capture(self, node: Node) -> None:
        path = self.work / f"{node.name}.pcapng"
        interfaces = [pod.veth for pod in plan.pods_on(node)] + ["eth0"]
        words = ["dumpcap", "-q", "-B", "16", "-w", str(path)]
        for interface in interfaces:
            words += ["-i", interface]
        self.start(f"dumpcap-{node.name}", node.netns, words)
        self.captures[node.name] = self.processes.pop(f"dumpcap-{node.name}")
        wait_until(lambda: path.exists() and path.stat().st_size > 0, f"dumpcap on {node.name} has not begun")

    def end_capture(self, node: Node) -> None:
        time.sleep(1)
        self.captures[node.name].send_signal(signal.SIGINT)
        self.captures[node.name].wait(STOP_S)
        said = (self.work / "output" / f"dumpcap-{node.name}").read_text()
        lost = [line for line in said.splitlines() if "received/dropped on interface" in line and "/0 " not in line]
        if lost:
            raise RuntimeError(f"the capture on {node.name} lost packets, record again: {'; '.join(lost)}")

    def play(self) -> None:
        """The timeline: everything that begins or ends by itself, second by second."""
        start = time.time()
        self.start("office", topology.OFFICE, role("office", self.events("office")))
        for i, node in enumerate(NODES.values(), 1):
            self.start(f"kubelet-{node.name}", node.netns, role(f"kubelet-{i}", self.events(node.name)))
        for key in CLIENTS:
            self.create(PODS[key])
        for at, action in (
            (plan.FIRST_RUN, lambda: self.create(PODS["sync-1"])),
            (plan.CAMPAIGN_DELETED, lambda: self.delete("campaign")),
            (plan.RECONCILER_CREATED, lambda: self.create(PODS["reconciler"])),
            (plan.SECOND_RUN, lambda: self.create(PODS["sync-2"])),
            (plan.CLIENTS_STOP, lambda: None),
        ):
            while time.time() < start + at:
                self.reap()
                time.sleep(0.05)
            action()

    def reap(self) -> None:
        """Note the end of pods that finished, and free their addresses."""
        for key in ("sync-1", "sync-2", "campaign"):
            process = self.processes.get(key)
            if process is not None and process.poll() is not None:
                self.book.lives[key].finished = time.time()
                topology.take_address(PODS[key])
                del self.processes[key]

    def stop_all(self) -> None:
        """Clients first, and each finishes what it is at; then the servers."""
        clients = [name for name in self.processes if name in PODS and name not in SERVERS] + ["office"]
        clients += [f"kubelet-{node}" for node in NODES]
        self.stop([name for name in clients if name in self.processes])
        time.sleep(1)
        self.stop(list(self.processes))

    def stop(self, names: list[str]) -> None:
        for name in names:
            self.processes[name].send_signal(signal.SIGTERM)
        for name in names:
            self.processes.pop(name).wait(STOP_S)

    def kill(self) -> None:
        for process in (*self.processes.values(), *self.captures.values()):
            process.kill()
            process.wait()

    def wait_for_second(self, second: int) -> None:
        time.sleep((second - time.time()) % 60)

    def write(self, out: Path) -> None:
        out.mkdir(parents=True, exist_ok=True)
        for node in NODES:
            raw = (self.work / f"{node}.pcapng").read_bytes()
            (out / f"{node}.pcapng.gz").write_bytes(gzip.compress(raw, 9, mtime=0))
        for name, content in (
            ("objects.json", kubernetes.objects(self.book)),
            ("truth.json", truth.truth(self.book, self.work)),
        ):
            (out / name).write_text(json.dumps(content, indent=1) + "\n")


def role(name: str, events: Path) -> list[str]:
    return [sys.executable, "-m", "samples.shop.roles", name, str(events)]


def wait_for_port(netns: str, port: int) -> None:
    def listening() -> bool:
        return f":{port} " in topology.inside(netns, "ss", "-Hltun")

    wait_until(listening, f"{netns}: nobody listens on port {port}")


def wait_until(condition: Callable[[], bool], complaint: str) -> None:
    deadline = time.monotonic() + READY_S
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{complaint} after {READY_S} s")
        time.sleep(0.05)


def complaint() -> str | None:
    """Why this machine cannot record, or None."""
    if os.geteuid() != 0:
        return "network namespaces need root: run with sudo"
    missing = sorted({package for program, package in PACKAGES.items() if shutil.which(program) is None})
    if missing:
        return f"programs are missing: apt-get install --no-install-recommends {' '.join(missing)}"
    if topology.leftovers():
        return "namespaces of another recording exist: let it end, or remove them with --clean"
    return None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, nargs="?", help="directory for the captures, objects.json and truth.json")
    parser.add_argument("--clean", action="store_true", help="only remove what an interrupted recording left behind")
    parser.add_argument("--keep", type=Path, help="keep configurations and logs in this directory")
    parser.add_argument(
        "--ndots",
        type=ndots_of,
        action="append",
        default=[],
        metavar="NAMESPACE/WORKLOAD=DOTS",
        help="options ndots in the resolv.conf of this workload's pods; may be repeated",
    )
    given = parser.parse_args()
    if given.clean:
        topology.remove()
        return 0
    if given.out is None:
        parser.error("say where to write: OUT")
    problem = complaint()
    if problem:
        print(f"record: {problem}", file=sys.stderr)
        return 2
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        record(given.out, given.keep, dict(given.ndots))
    except RuntimeError as exc:
        print(f"record: {exc}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("record: interrupted, nothing written", file=sys.stderr)
        return 130
    return 0


def ndots_of(text: str) -> tuple[str, int]:
    workload, _, dots = text.partition("=")
    known = sorted({f"{pod.namespace}/{pod.workload}" for pod in PODS.values()})
    if workload not in known:
        raise argparse.ArgumentTypeError(f"no workload {workload!r}; there are {', '.join(known)}")
    if not dots.isdecimal() or int(dots) > MAX_NDOTS:
        raise argparse.ArgumentTypeError(f"{workload}: dots are a number from 0 to {MAX_NDOTS}, as resolv.conf has it")
    return workload, int(dots)


def record(out: Path, keep: Path | None, ndots: dict[str, int]) -> None:
    """Build, play, write; and remove all of it, however it ends."""
    with tempfile.TemporaryDirectory(prefix="tailrace-shop-") as work:
        recorder = Recorder(Path(work), ndots)
        try:
            recorder.run()
            recorder.write(out)
        finally:
            recorder.kill()
            topology.remove()
            if keep:
                shutil.copytree(work, keep, dirs_exist_ok=True)


if __name__ == "__main__":
    sys.exit(main())
