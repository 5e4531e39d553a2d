"""Where Services stand and what is behind them: tables of ports, of their addresses, and of their endpoints."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pyarrow as pa

from enricher.directory import ENDPOINTS, FRONTS, PORTS
from enricher.holders import FINISHED, pod_addresses, service_addresses
from enricher.item import Item

PROTOCOLS = {"TCP": 6, "UDP": 17, "SCTP": 132}
SLICE_OF = "kubernetes.io/service-name"

Row = dict[str, Any]
Objects = Mapping[str, list[Item]]
ServiceName = tuple[str | None, str]


def service_tables(objects: Objects) -> tuple[pa.Table, pa.Table, pa.Table]:
    """Ports, addresses and endpoints of every Service; endpoints refer to ports by row number."""
    slices = slices_of(objects.get("EndpointSlice", ()))
    pods = _live_pods(objects.get("Pod", ()))
    ports: list[Row] = []
    fronts: list[Row] = []
    endpoints: list[Row] = []
    for service in objects.get("Service", ()):
        name = _name(service)
        ports.append(_port_row(name))
        own_slices, own_pods = slices.get(name), pods.get(name[0], [])
        for port in service.children("spec.ports"):
            number = len(ports)
            ports.append(_port_row(name, port))
            fronts.extend({"port_id": number, "ip": address} for address in service_addresses(service))
            found = _sliced(own_slices, port) if own_slices else _selected(service, port, own_pods)
            endpoints.extend({**endpoint, "port_id": number} for endpoint in found)
    return (
        pa.Table.from_pylist(ports, schema=PORTS),
        pa.Table.from_pylist(fronts, schema=FRONTS),
        pa.Table.from_pylist(endpoints, schema=ENDPOINTS),
    )


def _name(item: Item) -> ServiceName:
    return item.text("metadata.namespace"), item.needed("metadata.name")


def _port_row(name: ServiceName, port: Item | None = None) -> Row:
    if port and port.port("port") is None:
        raise port.wrong("port", "is absent")
    return {
        "namespace": name[0],
        "service": name[1],
        "port_name": port and port.text("name"),
        "protocol": port and _protocol(port),
        "port": port and port.port("port"),
        "node_port": port and port.port("nodePort"),
    }


def _protocol(port: Item) -> int | None:
    return PROTOCOLS.get(port.text("protocol") or "TCP")


def slices_of(items: Iterable[Item]) -> dict[ServiceName, list[Item]]:
    """Slices by the Service they belong to; one of host names (FQDN) has no addresses."""
    slices = defaultdict(list)
    for item in items:
        service = item.labels("metadata.labels").get(SLICE_OF)
        if service and item.text("addressType") != "FQDN":
            slices[item.text("metadata.namespace"), service].append(item)
    return dict(slices)


def _sliced(slices: Iterable[Item], port: Item) -> Iterator[Row]:
    """Endpoints of one Service port: a slice names its ports as the Service does."""
    wanted = port.text("name"), _protocol(port)
    for one in slices:
        numbers = [p.port("port") for p in one.children("ports") if (p.text("name"), _protocol(p)) == wanted]
        for number in (n for n in numbers if n is not None):
            for endpoint in one.children("endpoints"):
                yield from _endpoint_rows(endpoint, number)


def _endpoint_rows(endpoint: Item, port: int) -> Iterator[Row]:
    # Unknown readiness is to be taken as ready (discovery.k8s.io/v1, EndpointConditions).
    ready = endpoint.flag("conditions.ready") is not False
    uid = endpoint.text("targetRef.uid") if endpoint.text("targetRef.kind") == "Pod" else None
    for address in endpoint.addresses("addresses"):
        yield {"ip": address, "port": port, "ready": ready, "pod_uid": uid}


def _live_pods(pods: Iterable[Item]) -> dict[str | None, list[Item]]:
    live = defaultdict(list)
    for pod in pods:
        if pod.text("status.phase") not in FINISHED:
            live[pod.text("metadata.namespace")].append(pod)
    return dict(live)


def _selected(service: Item, port: Item, pods: Iterable[Item]) -> Iterator[Row]:
    """Endpoints by the selector, for a dump without EndpointSlices (``kubectl get all`` gives none)."""
    selector = service.labels("spec.selector")
    for pod in pods if selector else ():
        number = _target(port, pod) if selector.items() <= pod.labels("metadata.labels").items() else None
        if number is not None:
            row = {"port": number, "ready": _is_ready(pod), "pod_uid": pod.text("metadata.uid")}
            yield from ({**row, "ip": address} for address in pod_addresses(pod))


def _target(port: Item, pod: Item) -> int | None:
    target = port.raw("targetPort")
    if not isinstance(target, str):
        return port.port("targetPort") or port.port("port")
    named = (p for container in pod.children("spec.containers") for p in container.children("ports"))
    return next((p.port("containerPort") for p in named if p.text("name") == target), None)


def _is_ready(pod: Item) -> bool:
    return any(c.text("type") == "Ready" and c.text("status") == "True" for c in pod.children("status.conditions"))
