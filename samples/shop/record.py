"""Record the shop sample: ``python -m samples.shop.record OUT``, as root."""

import argparse
import signal
import sys
import time
from dataclasses import replace

from samples.cluster import command, kubernetes
from samples.cluster.daemons import certificate_command
from samples.cluster.plan import Plan, Pod
from samples.cluster.recorder import CAPTURE_LEAD_S, Recorder
from samples.cluster.topology import run, take_address
from samples.shop import daemons, plan, policies, topology, truth
from samples.shop.plan import NODES, PODS, SHOP

SERVERS = (
    *("coredns-1", "coredns-2", "redis-0", "ledger-0", "logs"),
    *("payments", "api-1", "api-2", "frontend-1", "frontend-2"),
)
CLIENTS = ("loader", "recommender", "campaign", "fx-rates", "prometheus", "node-agent-1", "node-agent-2", "netdebug")
MAX_NDOTS = 15


class ShopRecorder(Recorder):
    def run(self) -> None:
        topology.build()
        self.start_outside()
        for key in SERVERS:
            self.begin(key)
        for key in CLIENTS:
            self.give_address(self.plan.pods[key])
        for node in NODES:
            self.start(f"kubelet-metrics-{node}", node, self.role("kubelet-metrics", node))
            self.wait_for_port(node, 10250)
        self.wait_for_second(plan.START_SECOND - CAPTURE_LEAD_S)
        self.begin_captures()
        self.wait_for_second(plan.START_SECOND)
        self.play()
        self.stop_all()
        self.end_captures()

    def start_outside(self) -> None:
        web = self.directory("outside-web")
        run(*certificate_command(web))
        self.start("nsd", "outside", daemons.name_server(self.directory("outside-dns")))
        self.start("outside-web", "outside", daemons.nginx_outside(web))
        for port in (53, 80, 443):
            self.wait_for_port("outside", port)

    def begin(self, key: str) -> None:
        pod = self.plan.pods[key]
        self.create(pod, daemons.server_command(self.directory(key), pod) or self.role(pod.workload, key))

    def delete(self, key: str) -> None:
        self.book.lives[key].deleted = time.time()
        self.processes[key].send_signal(signal.SIGTERM)

    def play(self) -> None:
        """The timeline: everything that begins or ends by itself, second by second."""
        start = time.time()
        self.start("office", "office", self.role("office", "office"))
        for i, node in enumerate(NODES, 1):
            self.start(f"kubelet-{node}", node, self.role(f"kubelet-{i}", node))
        for key in CLIENTS:
            self.begin(key)
        for at, action in (
            (plan.FIRST_RUN, lambda: self.begin("sync-1")),
            (plan.CAMPAIGN_DELETED, lambda: self.delete("campaign")),
            (plan.RECONCILER_CREATED, lambda: self.begin("reconciler")),
            (plan.SECOND_RUN, lambda: self.begin("sync-2")),
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
                take_address(self.plan, PODS[key])
                del self.processes[key]

    def stop_all(self) -> None:
        """Clients first, and each finishes what it is at; then the servers."""
        clients = [name for name in self.processes if name in PODS and name not in SERVERS] + ["office"]
        clients += [f"kubelet-{node}" for node in NODES]
        self.stop([name for name in clients if name in self.processes])
        time.sleep(1)
        self.stop(list(self.processes))

    def wait_for_second(self, second: int) -> None:
        time.sleep((second - time.time()) % 60)

    def files(self) -> dict[str, object]:
        objects = kubernetes.objects(self.book, [policies.ledger(self.book)])
        return {"objects.json": objects, "truth.json": truth.truth(self.book, self.work)}


def ndots_of(text: str) -> tuple[str, int]:
    workload, _, dots = text.partition("=")
    known = sorted({name_of(pod) for pod in PODS.values()})
    if workload not in known:
        raise argparse.ArgumentTypeError(f"no workload {workload!r}; there are {', '.join(known)}")
    if not dots.isdecimal() or int(dots) > MAX_NDOTS:
        raise argparse.ArgumentTypeError(f"{workload}: dots are a number from 0 to {MAX_NDOTS}, as resolv.conf has it")
    return workload, int(dots)


def name_of(pod: Pod) -> str:
    return f"{pod.namespace}/{pod.workload}"


def with_ndots(shop: Plan, ndots: dict[str, int]) -> Plan:
    pods = {key: replace(pod, ndots=ndots.get(name_of(pod), pod.ndots)) for key, pod in shop.pods.items()}
    return replace(shop, pods=pods)


def main() -> int:
    parser = command.parser(__doc__)
    parser.add_argument(
        "--ndots",
        type=ndots_of,
        action="append",
        default=[],
        metavar="NAMESPACE/WORKLOAD=DOTS",
        help="options ndots in the resolv.conf of this workload's pods; may be repeated",
    )
    given = parser.parse_args()
    shop = with_ndots(SHOP, dict(given.ndots))
    return command.main(SHOP, {"redis-server": "redis-server"}, given, lambda work: ShopRecorder(shop, work))


if __name__ == "__main__":
    sys.exit(main())
