"""Record the resolvers sample: ``python -m samples.resolvers.record OUT``, as root."""

import os
import subprocess
import sys
import time
from pathlib import Path

from samples.cluster import command, kubernetes
from samples.cluster.daemons import nsd
from samples.cluster.plan import Pod
from samples.cluster.recorder import CAPTURE_LEAD_S, Recorder
from samples.cluster.stage import ROOT, wait_until
from samples.cluster.topology import run
from samples.resolvers import daemons, outside, plan, topology, truth, zones
from samples.resolvers.plan import CLIENTS, RESOLVERS, SERVERS
from samples.resolvers.recorded import Recorded

PACKAGES = {
    "tc": "iproute2",
    "named": "bind9",
    "knotd": "knot",
    "knotc": "knot",
    "kdig": "knot-dnsutils",
    "kresd": "knot-resolver",
    "dnsmasq": "dnsmasq-base",
    "gcc": "gcc",
    "musl-gcc": "musl-tools",
    "go": "golang-go",
    "javac": "default-jdk-headless",
    "java": "default-jdk-headless",
}
PROGRAMS = ROOT / "samples" / "resolvers" / "programs"
FLUX_EVERY_S, FLUX_ADDRESSES = 3, 6
HEARD_LATE_S = 2
CLIENTS_READY_S = 120


class ResolversRecorder(Recorder):
    def __init__(self, work: Path) -> None:
        super().__init__(RESOLVERS, work)
        self.started = 0.0
        self.unheard: dict[str, int] = {}
        self.race_lost = 0

    def run(self) -> None:
        self.compile()
        topology.build()
        self.start_delay(plan.SLOW_LINE, plan.SLOW_MS)
        self.start_delay(plan.SLOW_REPLICA_LINE, plan.SLOW_REPLICA_MS)
        self.start_outside()
        for pod in SERVERS:
            self.create(pod, daemons.server_command(self.directory(pod.key), pod))
        for pod in CLIENTS:
            self.create(pod, self.client(pod))
        self.wait_for_clients()
        self.begin_captures()
        self.started = time.time() + CAPTURE_LEAD_S
        self.tell_beginning()
        self.play()
        self.race_lost = topology.lost("race_lost")
        self.stop([pod.key for pod in CLIENTS])
        time.sleep(HEARD_LATE_S)
        self.stop(list(self.processes))
        self.end_captures()

    def compile(self) -> None:
        """The clients that bring a resolver of their own: glibc's, musl's, Go's, and the JVM's on top of glibc's."""
        out = self.directory("programs")
        run("gcc", "-O1", "-o", str(out / "resolve-glibc"), str(PROGRAMS / "resolve.c"))
        run("musl-gcc", "-O1", "-static", "-o", str(out / "resolve-musl"), str(PROGRAMS / "resolve.c"))
        run("javac", "-d", str(out), str(PROGRAMS / "Resolve.java"))
        own = {"CGO_ENABLED": "0", "GO111MODULE": "off", "GOCACHE": str(self.directory("go-cache"))}
        words = ["go", "build", "-o", str(out / "resolve-go"), str(PROGRAMS / "resolve.go")]
        subprocess.run(words, env=os.environ | own, check=True)

    def start_outside(self) -> None:
        self.start("authority", "outside", outside.authority(self.directory("authority")))
        slow = nsd(self.directory("slow"), plan.SLOW_IP, {"slow-bank.example": zones.slow_zone()})
        self.start("slow", "slow", slow)
        self.start("provider", "outside", outside.provider(self.directory("provider")))
        self.start("public", "outside", outside.public_resolver(self.directory("public")))
        self.start("web", "outside", outside.web(self.directory("web")))
        corp = nsd(self.directory("corp"), plan.CORP_DNS_IP, {"corp.example": zones.corp_zone()})
        self.start("corp", "office", corp)
        self.start("intranet", "office", outside.web(self.directory("intranet")))
        for place, address in (
            *(("outside", f"{ip}:53") for ip in (plan.AUTHORITY_IP, plan.PROVIDER_IP)),
            ("slow", f"{plan.SLOW_IP}:53"),
            *(("outside", f"{plan.PUBLIC_IP}:{port}") for port in (53, 853, 443)),
            ("outside", ":80"),
            ("office", f"{plan.CORP_DNS_IP}:53"),
            ("office", ":80"),
        ):
            self.wait_for_listener(place, address)

    def client(self, pod: Pod) -> list[str]:
        return [*self.role(pod.key, pod.key), str(self.beginning), str(self.directory("programs"))]

    @property
    def beginning(self) -> Path:
        """The file that tells the clients when the timeline begins."""
        return self.work / "start"

    def tell_beginning(self) -> None:
        told = self.work / "start.new"
        told.write_text(str(self.started))
        told.rename(self.beginning)  # nobody reads it half written

    def wait_for_clients(self) -> None:
        def ready() -> bool:
            return all(self.events(pod.key).exists() for pod in CLIENTS)

        wait_until(ready, "clients have not begun", CLIENTS_READY_S)

    def wait(self, second: float) -> None:
        time.sleep(max(0.0, self.started + second - time.time()))

    def play(self) -> None:
        """What happens to the servers; the clients play by themselves."""
        silent, heard = plan.SILENT
        self.wait(silent)
        topology.silence(plan.UNHEARD)
        self.wait(heard)
        self.unheard = topology.end_silence()
        if self.unheard.pop("others"):
            raise RuntimeError("somebody else asked the silent replica, record again")
        for second in range(plan.SECOND[0], plan.SECOND[1], FLUX_EVERY_S):
            self.wait(second)
            turn = (second - plan.SECOND[0]) // FLUX_EVERY_S
            first = turn * FLUX_ADDRESSES % len(plan.FLUX_IPS)
            self.point(plan.FLUX, 3, plan.FLUX_IPS[first : first + FLUX_ADDRESSES])
            if plan.REBOUND <= second < plan.REBOUND + FLUX_EVERY_S:
                self.point(plan.REBINDING, 1, (plan.PAYMENTS_IP,))
        self.wait(plan.END)

    def point(self, name: str, ttl_s: int, addresses: tuple[str, ...]) -> None:
        """Give a name other addresses, while its server runs."""
        owner, _, zone = name.partition(".")
        steps = [["zone-begin", zone], ["zone-unset", zone, owner, "A"]]
        steps += [["zone-set", zone, owner, str(ttl_s), "A", ip] for ip in addresses]
        for words in [*steps, ["zone-commit", zone]]:
            run("knotc", "-s", str(self.work / "authority" / "knot.sock"), *words)

    def files(self) -> dict[str, object]:
        recorded = Recorded(self.book, self.work, self.unheard, self.race_lost)
        return {"objects.json": kubernetes.objects(self.book), "truth.json": truth.truth(recorded)}


def main() -> int:
    return command.main(RESOLVERS, PACKAGES, command.parser(__doc__).parse_args(), ResolversRecorder)


if __name__ == "__main__":
    sys.exit(main())
