"""An application made up for a test: its objects as Kubernetes tells them, and packets of who talks to whom."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.frames import Timed, pcap
from tests.support.messages import query, response
from tests.support.segments import Connection, udp
from tests.support.segments import End as Address

CREATED = "2023-11-14T00:00:00Z"  # before the packets of tests.support.frames
NODES = {"node-1": "172.18.0.1", "node-2": "172.18.0.2"}
DNS_SERVICE = "10.96.0.10"

Object = dict[str, Any]


@dataclass(frozen=True)
class Workload:
    """A Deployment; ``ports`` are the named ones of its container."""

    namespace: str
    name: str
    labels: Mapping[str, str]
    ports: Mapping[str, int] = field(default_factory=dict)
    replicas: int = 2


DNS = Workload("kube-system", "coredns", {"k8s-app": "kube-dns"}, {"dns": 53})


class Application:
    def __init__(self, *workloads: Workload) -> None:
        self._number = 0
        self._port = 30000
        self._now = 1.0
        self.frames: list[Timed] = []
        self.objects = [self._node(name, address) for name, address in NODES.items()]
        self.pods: dict[str, list[str]] = {}
        for workload in (*workloads, DNS):
            self._deploy(workload)
        self.serve("kube-system", "kube-dns", DNS.labels, DNS_SERVICE, {53: 53})

    def serve(
        self, namespace: str, name: str, selector: Mapping[str, str], address: str, ports: Mapping[int, int | str]
    ) -> None:
        """A Service; ``ports`` lead to those of the pods."""
        transports = ("UDP", "TCP") if 53 in ports else ("TCP",)
        told = [
            {"name": f"{transport.lower()}-{port}", "protocol": transport, "port": port, "targetPort": target}
            for port, target in ports.items()
            for transport in transports
        ]
        spec = {"clusterIP": address, "clusterIPs": [address], "selector": dict(selector), "ports": told}
        self.objects.append(self._object("v1", "Service", name, namespace, spec))

    def connect(self, src: str, *ways: Address) -> None:
        """A connection that is answered, as it is seen on each of the ways: at the Service, and behind it."""
        self._port += 1
        for way in ways:
            one = Connection((src, self._port), way)
            self._send([*one.open(), one.send(data=b"hello"), one.back(data=b"welcome"), *one.close()])
        self._now += 0.1

    def knock(self, src: str, dst: Address) -> None:
        """Refused."""
        self._port += 1
        one = Connection((src, self._port), dst)
        self._send([one.send("S"), one.back("RA")])
        self._now += 0.1

    def ask(self, src: str) -> None:
        """A name, of the DNS."""
        self._port += 1
        server, number = self.pods["kube-system/coredns"][0], self._port
        there, back = query(number), response(number)
        ways = ((DNS_SERVICE, 53), (server, 53))
        self._send([udp((src, number), way, there) for way in ways] + [udp(way, (src, number), back) for way in ways])
        self._now += 0.1

    def write(self, folder: Path) -> tuple[Path, Path]:
        """The objects, and the capture."""
        objects, capture = folder / "objects.json", folder / "node-1.pcap"
        objects.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": self.objects}))
        capture.write_bytes(pcap(self.frames))
        return objects, capture

    def _send(self, frames: Iterable[bytes]) -> None:
        for frame in frames:
            self.frames.append((self._now, frame))
            self._now += 0.001

    def _deploy(self, workload: Workload) -> None:
        template = {
            "metadata": {"labels": dict(workload.labels)},
            "spec": {"containers": [{"name": "main", "ports": [*_ports(workload)]}]},
        }
        spec = {"replicas": workload.replicas, "selector": {"matchLabels": dict(workload.labels)}, "template": template}
        self.objects.append(self._object("apps/v1", "Deployment", workload.name, workload.namespace, spec))
        self.pods[f"{workload.namespace}/{workload.name}"] = [self._pod(workload, n) for n in range(workload.replicas)]

    def _pod(self, workload: Workload, number: int) -> str:
        node = list(NODES)[number % len(NODES)]
        address = f"10.244.{number % len(NODES)}.{self._number + 1}"
        spec = {"nodeName": node, "containers": [{"name": "main", "ports": [*_ports(workload)]}]}
        pod = self._object("v1", "Pod", f"{workload.name}-5d8f-{number}", workload.namespace, spec)
        pod["metadata"]["labels"] = {**workload.labels, "pod-template-hash": "5d8f"}
        owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": f"{workload.name}-5d8f", "controller": True}
        pod["metadata"]["ownerReferences"] = [owner]
        pod["status"] = {"phase": "Running", "podIP": address, "startTime": CREATED}
        self.objects.append(pod)
        return address

    def _node(self, name: str, address: str) -> Object:
        network = f"10.244.{list(NODES).index(name)}.0/24"
        node = self._object("v1", "Node", name, None, {"podCIDR": network, "podCIDRs": [network]})
        node["status"] = {"addresses": [{"type": "InternalIP", "address": address}]}
        return node

    def _object(self, version: str, kind: str, name: str, namespace: str | None, spec: Object) -> Object:
        self._number += 1
        told = {"name": name, "uid": f"uid-{self._number}", "creationTimestamp": CREATED}
        metadata = told | ({"namespace": namespace} if namespace else {})
        return {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}


def _ports(workload: Workload) -> Iterable[Object]:
    for name, number in workload.ports.items():
        yield {"name": name, "containerPort": number, "protocol": "UDP" if name == "dns" else "TCP"}
