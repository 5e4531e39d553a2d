"""The cluster of ``live_plan.py`` under way, with an API server that is told of every pod, and what its programs say they did."""

import json
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from samples.cluster import kubernetes, topology
from samples.cluster.command import PACKAGES
from samples.cluster.plan import FABRIC_IP
from samples.cluster.stage import Stage
from tests.support import namespaces
from tests.support.fake_api import FakeApi
from tests.support.live_plan import (
    LIVE,
    NODE_PORT,
    NODES,
    OFFICE,
    PARTNER,
    PARTNER_NAME,
    SERVERS,
    SILENCE_S,
    WEB,
)

PROGRAMS = ("ip", "ss", "bridge", "ethtool", "nft", "sysctl", "setpriv")
PODS = LIVE.pods
STORE, LEDGER, WEB_2 = (PODS[key].ip for key in ("store-0", "ledger", "web-2"))
# Whom each program calls: workload=address, and what it asks the name server for before that.
CALLS = {
    "loader": (f"web={WEB}:80", f"store={STORE}:6379", f"partner={PARTNER}:443@{PARTNER_NAME}"),
    "reader": (f"web={WEB}:80", f"store={STORE}:6379"),
    "campaign": (f"web={WEB}:80",),
    "reconciler": (f"store={STORE}:6379", f"web={WEB}:80"),
    "auditor": (f"ledger={LEDGER}:8080",),
    "node-1": (f"web={WEB_2}:8080", f"store={STORE}:6379"),
    "office": tuple(f"web={node.ip}:{NODE_PORT}" for node in NODES.values()),
}
NAMED = ("--name", f"{PARTNER_NAME}={PARTNER}", "--name", f"web.shop.svc.cluster.local={WEB}")
ASKED = {"loader": ("missing.shop.svc.cluster.local",), "reader": ("web.shop.svc.cluster.local",)}


def required() -> None:
    namespaces.required()
    missing = sorted({PACKAGES[program] for program in PROGRAMS if shutil.which(program) is None})
    if missing:
        namespaces.lacking(f"the live cluster needs {', '.join(missing)}")


class LiveCluster(Stage):
    def __init__(self, work: Path, api: FakeApi) -> None:
        super().__init__(LIVE, work)
        self.api = api
        self._told: dict[tuple[str, str | None, str], dict[str, Any]] = {}

    def build(self) -> None:
        topology.add_nodes(LIVE)
        topology.add_place(LIVE, "outside", "198.51.100.1", (PARTNER,))
        topology.add_place(LIVE, "office", "192.0.2.1", (OFFICE,))
        topology.set_rules(LIVE, topology.Losses())
        self.run_program("partner", "outside", "--serve", "443")
        for key in SERVERS:
            self.begin(key)

    def begin(self, key: str, calls: tuple[str, ...] | None = None) -> None:
        """The API server hears of the pod when it has its address, and before it does anything."""
        pod = PODS[key]
        self.give_address(pod)
        self.tell()
        serving = [word for name, port in pod.ports.items() if name != "dns" for word in ("--serve", str(port))]
        self.create(pod, self.command(key, *(NAMED if key == "names" else serving), calls=calls))

    def end(self, key: str) -> None:
        """Its program is done; then the address is free, and the API server told."""
        self.book.lives[key].deleted = time.time()
        self.tell()
        self.stop([key])
        topology.take_address(LIVE, PODS[key])
        self.book.lives[key].finished = time.time()
        self.tell()

    def flap(self, key: str) -> None:
        """The pod's interface goes, and one of the same name comes."""
        pod = PODS[key]
        topology.ip(LIVE.netns(pod.node), "link", "del", pod.veth)
        topology.join_pod(LIVE, pod)

    def run_program(self, name: str, place: str, *more: str) -> None:
        self.start(name, place, self.command(name, *more))

    def command(self, name: str, *more: str, calls: tuple[str, ...] | None = None) -> list[str]:
        given = CALLS.get(name, ()) if calls is None else calls
        calling = [word for call in given for word in ("--call", call)]
        asked = [word for asked in ASKED.get(name, ()) for word in ("--ask", asked)]
        silence = ("--silence", str(SILENCE_S)) if name in PODS and name not in SERVERS else ()
        program = [sys.executable, "-m", "samples.cluster.traffic", str(self.events(name))]
        return [*program, *calling, *asked, *silence, *more]

    def tell(self) -> None:
        """What changed since, and which pods are gone."""
        for one in kubernetes.objects(self.book)["items"]:
            metadata = one["metadata"]
            key = one["kind"], metadata.get("namespace"), metadata["name"]
            if self._told.get(key) != one:
                self._told[key] = one
                self.api.create(one)
                if one["kind"] == "Pod" and one["status"]["phase"] == "Succeeded":
                    self.api.delete("Pod", metadata["name"], metadata["namespace"])

    def said(self, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Who said it, and what."""
        for path in sorted((self.work / "events").glob("*.jsonl")):
            for line in path.read_text().splitlines():
                fact = json.loads(line)
                if fact["kind"] == kind:
                    yield path.stem, fact


@contextmanager
def live_cluster(work: Path) -> Iterator[LiveCluster]:
    """Inside of the fabric, which every node reaches at ``FABRIC_IP``: there the API server listens."""
    required()
    topology.remove(LIVE)
    try:
        topology.add_fabric(LIVE)
        with namespaces.inside(LIVE.netns("fabric")), FakeApi(host=FABRIC_IP) as api:
            cluster = LiveCluster(work, api)
            try:
                cluster.build()
                yield cluster
            finally:
                cluster.kill()
    finally:
        topology.remove(LIVE)
