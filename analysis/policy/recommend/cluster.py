"""The Kubernetes objects as a recommendation needs them: whose pods there are, and what stands behind each Service."""

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from analysis.policy.endpoints import PROTOCOLS, Endpoint, Network, Workload, network_order
from analysis.policy.objects import Source, reading
from analysis.policy.owners import lasting
from analysis.policy.topology import (
    KINDS,
    TEMPLATES,
    Labels,
    Objects,
    containers,
    endpoints_of,
    namespace_labels,
    own_workloads,
    pod_endpoint,
    read_objects,
)
from enricher.holders import pod_addresses, ranges, service_addresses
from enricher.item import Item
from enricher.services import slices_of
from enricher.workloads import Owners

API_SERVER = ("default", "kubernetes")
# What every policy that Tailrace writes is labelled with.
MANAGED_BY, OURS = "app.kubernetes.io/managed-by", "tailrace"

MORE_KINDS = {"Service", "EndpointSlice", "NetworkPolicy", "ServiceCIDR", "IPPool"}


class Member(NamedTuple):
    """A pod of a workload, or what its template says of the pods to come; ``listens`` are the ports that it declares."""

    workload: Workload
    pod: Endpoint
    listens: frozenset[int]


class ServicePort(NamedTuple):
    """``target`` is a number, or a name that each pod gives a number."""

    name: str | None
    protocol: int
    port: int
    target: int | str


class Backend(NamedTuple):
    """``name`` is that of the Service's port."""

    address: str
    name: str | None
    protocol: int
    port: int


@dataclass(frozen=True)
class Service:
    """``backends`` are those of its EndpointSlices: all that a Service without a selector has."""

    namespace: str
    name: str
    labels: Mapping[str, str]
    addresses: tuple[str, ...]
    selector: Mapping[str, str]
    ports: tuple[ServicePort, ...]
    backends: tuple[Backend, ...]

    def asked(self, protocol: int, port: int | None) -> list[ServicePort]:
        """The ports that somebody meant who sent to this one of the Service, or to this one of the pods behind it."""
        own = [one for one in self.ports if one.protocol == protocol]
        return [one for one in own if one.port == port] or [one for one in own if port in (one.target, None)] or own


@dataclass(frozen=True)
class Cluster:
    """``endpoints`` are those that history is matched with; ``ranges`` the networks that the objects call their own.

    ``policies`` are the names of those that each namespace has, ``earlier`` of those that Tailrace wrote.
    """

    endpoints: Sequence[Endpoint]
    members: Sequence[Member]
    services: Sequence[Service]
    ranges: tuple[Network, ...]
    policies: Mapping[str, tuple[str, ...]]
    earlier: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    # Which reading of the cluster these are, in words, where a lake has several.
    reading: tuple[str, ...] = ()

    @cached_property
    def workloads(self) -> Mapping[tuple[str | None, str], Workload]:
        """By namespace and name of the pod."""
        return {(member.pod.namespace, member.pod.name): member.workload for member in self.members}

    @cached_property
    def service_at(self) -> Mapping[str, Service]:
        return {address: service for service in self.services for address in service.addresses}

    @cached_property
    def listens(self) -> frozenset[tuple[Workload, int]]:
        return frozenset((member.workload, port) for member in self.members for port in member.listens)

    def behind(self, service: Service) -> Iterator[Member]:
        for member in self.members:
            near = member.workload.namespace == service.namespace
            if near and service.selector and service.selector.items() <= member.pod.labels.items():
                yield member

    @cached_property
    def api_servers(self) -> frozenset[tuple[str, int]]:
        """Addresses and ports behind the Service ``kubernetes``, which the API server keeps itself."""
        own = (one for one in self.services if (one.namespace, one.name) == API_SERVER)
        return frozenset((backend.address, backend.port) for one in own for backend in one.backends)

    def holder(self, address: str) -> Endpoint:
        """A node before the pods of its network; an address outside where nobody has it."""
        return self._holders.get(address) or Endpoint("external", None, address, address, {}, {}, None, {}, False, None)

    @cached_property
    def _holders(self) -> Mapping[str, Endpoint]:
        ordered = sorted(self.endpoints, key=lambda one: one.kind == "node")
        return {one.address: one for one in ordered if one.address}


def target(port: ServicePort, pod: Endpoint) -> int | None:
    """The number behind the Service's port in this pod."""
    if isinstance(port.target, int):
        return port.target
    return pod.ports.get(port.target, (None, None))[1]


def read_cluster(source: Source) -> Cluster:
    objects = read_objects(source, KINDS | MORE_KINDS)
    return Cluster(
        endpoints=endpoints_of(objects, source),
        members=tuple(_members(objects)),
        services=tuple(sorted(_services(objects), key=lambda one: (one.namespace, one.name))),
        ranges=tuple(sorted((ipaddress.ip_network(one) for one in ranges(objects)), key=network_order)),
        policies=_policies(objects, ours=False),
        earlier=_policies(objects, ours=True),
        reading=tuple(reading(source)),
    )


def _members(objects: Objects) -> Iterator[Member]:
    """Ended pods too: the next run of a CronJob has their labels."""
    namespaces, owners = namespace_labels(objects), Owners(objects)
    templates = list(_templates(objects, namespaces))
    alike = {(one.workload.namespace, lasting(one.pod.labels)): one.workload for one in templates}
    for pod in sorted(objects.get("Pod", ()), key=lambda pod: pod.needed("metadata.name")):
        found = pod_endpoint(pod, "", next(iter(pod_addresses(pod)), None), namespaces)
        namespace = found.namespace or ""
        kind, name = owners.workload(pod)
        workload = Workload(namespace, name, kind)
        if workload == (namespace, found.name, "Pod") and found.labels:
            # Nobody owns it: it is one of those whose labels it has, as a selector sees it.
            workload = alike.setdefault((namespace, lasting(found.labels)), workload)
        yield Member(workload, found, _declared(pod))
    yield from templates


def _templates(objects: Objects, namespaces: Labels) -> Iterator[Member]:
    for kind, workload in own_workloads(objects):
        if workload.raw(TEMPLATES[kind]) is not None:
            found = pod_endpoint(workload, TEMPLATES[kind], None, namespaces)
            declared = _declared(workload.child(TEMPLATES[kind]))
            yield Member(Workload(found.namespace or "", found.name, kind), found, declared)


def _declared(pod: Item) -> frozenset[int]:
    ports = (port.port("containerPort") for container in containers(pod) for port in container.children("ports"))
    return frozenset(port for port in ports if port)


def _services(objects: Objects) -> Iterator[Service]:
    slices = slices_of(objects.get("EndpointSlice", ()))
    for item in objects.get("Service", ()):
        namespace, name = item.text("metadata.namespace"), item.needed("metadata.name")
        yield Service(
            namespace=namespace or "default",
            name=name,
            labels=item.labels("metadata.labels"),
            addresses=tuple(service_addresses(item)),
            selector=item.labels("spec.selector"),
            ports=tuple(_service_ports(item)),
            backends=tuple(_backends(slices.get((namespace, name), ()))),
        )


def _service_ports(service: Item) -> Iterator[ServicePort]:
    for port in service.children("spec.ports"):
        protocol, number = PROTOCOLS.get(port.text("protocol") or "TCP"), port.port("port")
        if protocol is not None and number is not None:
            target = port.raw("targetPort")
            named = isinstance(target, str)
            yield ServicePort(
                port.text("name"), protocol, number, target if named else port.port("targetPort") or number
            )


def _backends(slices: Sequence[Item]) -> Iterator[Backend]:
    for one in slices:
        for port in one.children("ports"):
            protocol, number = PROTOCOLS.get(port.text("protocol") or "TCP"), port.port("port")
            if protocol is not None and number is not None:
                for endpoint in one.children("endpoints"):
                    for address in endpoint.addresses("addresses"):
                        yield Backend(address, port.text("name"), protocol, number)


def _policies(objects: Objects, ours: bool) -> dict[str, tuple[str, ...]]:
    """Names of the policies that each namespace has, of an earlier recommendation or of others."""
    found: dict[str, list[str]] = {}
    for item in objects.get("NetworkPolicy", ()):
        if (item.labels("metadata.labels").get(MANAGED_BY) == OURS) is ours:
            found.setdefault(item.text("metadata.namespace") or "default", []).append(item.needed("metadata.name"))
    return {namespace: tuple(sorted(names)) for namespace, names in found.items()}
