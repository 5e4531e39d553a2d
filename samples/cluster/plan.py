"""What a recorded cluster consists of: nodes, pods and Services, whatever they are called."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

NDOTS = 5  # what kubelet writes where the pod does not say otherwise
FABRIC_IP = "172.18.0.1"
VNI = 4096


def letters(text: str, count: int) -> str:
    """Letters in the alphabet of Kubernetes' name suffixes, the same in every run."""
    alphabet = "bcdfghjklmnpqrstvwxz2456789"
    return "".join(alphabet[byte % len(alphabet)] for byte in hashlib.sha256(text.encode()).digest()[:count])


@dataclass(frozen=True)
class Node:
    name: str
    ip: str
    zone: str
    pod_prefix: str

    @property
    def cidr(self) -> str:
        return f"{self.pod_prefix}.0/24"

    @property
    def gateway(self) -> str:
        return f"{self.pod_prefix}.1"


@dataclass(frozen=True)
class Pod:
    """One pod; ``key`` is its short name here, ``workload`` the owner that survives restarts."""

    key: str
    namespace: str
    workload_kind: str
    workload: str
    node: str
    ip: str
    ports: dict[str, int] = field(default_factory=dict, hash=False)
    probe: str | None = None
    ready: bool = True
    listens: bool = True
    ndots: int = NDOTS
    line: str | None = None  # the delay line between the pod and its node

    @property
    def veth(self) -> str:
        return "veth" + hashlib.sha256(self.key.encode()).hexdigest()[:8]


@dataclass(frozen=True)
class ServicePort:
    name: str
    port: int
    target: int
    protocol: str = "TCP"
    node_port: int | None = None


@dataclass(frozen=True)
class Service:
    namespace: str
    name: str
    app: str
    ports: tuple[ServicePort, ...]
    cluster_ip: str | None = None

    @property
    def fqdn(self) -> str:
        return f"{self.name}.{self.namespace}.svc.cluster.local"


@dataclass(frozen=True)
class Plan:
    cluster: str
    namespaces: tuple[str, ...]
    nodes: dict[str, Node]
    pods: dict[str, Pod]
    services: tuple[Service, ...]
    dns_service_ip: str
    images: dict[str, str]

    @property
    def prefix(self) -> str:
        return f"tailrace-{self.cluster}-"

    def netns(self, name: str) -> str:
        """The network namespace of a node, of a pod by its key, or of a place outside."""
        return self.prefix + name

    def pods_on(self, node: Node) -> list[Pod]:
        return [pod for pod in self.pods.values() if pod.node == node.name]

    def service_ports(self) -> Iterator[tuple[Service, ServicePort]]:
        for service in self.services:
            for port in service.ports:
                yield service, port

    def backends(self, service: Service) -> list[Pod]:
        """Every pod a Service selects, ready or not."""
        return [pod for pod in self.pods.values() if (pod.namespace, pod.workload) == (service.namespace, service.app)]

    def ready_backends(self, service: Service) -> list[Pod]:
        return [pod for pod in self.backends(service) if pod.ready]
