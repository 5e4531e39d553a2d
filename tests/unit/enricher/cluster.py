"""Small hand-written Kubernetes objects and collected records for the tests of the enricher."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from contract.dns import DNS
from contract.flows import FLOWS
from enricher.directory import Directory
from enricher.kubernetes import read_dump

Object = dict[str, Any]
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
MORNING = "2026-11-01T06:00:00Z"


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def text_time(seconds: float) -> str:
    return at(seconds).strftime("%Y-%m-%dT%H:%M:%SZ")


def meta(name: str, namespace: str | None = "shop", **more: Any) -> Object:
    return {"name": name, "namespace": namespace, "uid": f"uid-{name}", "creationTimestamp": MORNING, **more}


def pod(name: str, *ips: str, node: str = "n1", owner: tuple[str, str] | None = None, **more: Any) -> Object:
    """``more``: labels, start, finished (seconds from noon), phase, host_network, namespace."""
    metadata = meta(name, more.get("namespace", "shop"), labels=more.get("labels", {"app": name}))
    if owner:
        metadata["ownerReferences"] = [{"kind": owner[0], "name": owner[1], "controller": True}]
    status: Object = {"podIPs": [{"ip": ip} for ip in ips], "phase": more.get("phase", "Running")}
    status["startTime"] = text_time(more["start"]) if "start" in more else MORNING
    if "finished" in more:
        status["containerStatuses"] = [{"state": {"terminated": {"finishedAt": text_time(more["finished"])}}}]
    spec = {"nodeName": node, "hostNetwork": more.get("host_network", False), "containers": more.get("containers", [])}
    return {"kind": "Pod", "metadata": metadata, "spec": spec, "status": status}


def node(name: str, ip: str, cidr: str | None = None, zone: str | None = None) -> Object:
    labels = {"topology.kubernetes.io/zone": zone} if zone else {}
    spec = {"podCIDR": cidr, "podCIDRs": [cidr]} if cidr else {}
    status = {"addresses": [{"type": "InternalIP", "address": ip}, {"type": "Hostname", "address": name}]}
    return {"kind": "Node", "metadata": meta(name, None, labels=labels), "spec": spec, "status": status}


def service(name: str, ip: str, *ports: Object, namespace: str = "shop", **spec: Any) -> Object:
    balancer = [{"ip": address} for address in spec.pop("balancer", ())]
    return {
        "kind": "Service",
        "metadata": meta(name, namespace),
        "spec": {"clusterIP": ip, "clusterIPs": [ip], "ports": list(ports), **spec},
        "status": {"loadBalancer": {"ingress": balancer}},
    }


def port(number: int, name: str | None = None, protocol: str = "TCP", **more: Any) -> Object:
    return {"port": number, "name": name, "protocol": protocol, **more}


def endpoints(of: str, ports: list[Object], *pods: Object, ready: bool = True, namespace: str = "shop") -> Object:
    listed = [
        {
            "addresses": [ip["ip"] for ip in one["status"]["podIPs"]],
            "conditions": {"ready": ready},
            "targetRef": {"kind": "Pod", "name": one["metadata"]["name"], "uid": one["metadata"]["uid"]},
        }
        for one in pods
    ]
    metadata = meta(f"{of}-slice", namespace, labels={"kubernetes.io/service-name": of})
    return {"kind": "EndpointSlice", "metadata": metadata, "addressType": "IPv4", "ports": ports, "endpoints": listed}


def dump(folder: Path, *objects: Object) -> Path:
    path = folder / "objects.json"
    path.write_text(json.dumps({"kind": "List", "apiVersion": "v1", "items": list(objects)}))
    return path


def directory(folder: Path, *objects: Object, cluster: str | None = None) -> Directory:
    return read_dump(dump(folder, *objects), cluster)


def flow(src: str, dst: str, start: float = 0, end: float | None = None, **more: Any) -> Object:
    """Addresses are written ``ip:port``."""
    row = {field.name: _default(field) for field in FLOWS.collected}
    src_ip, _, src_port = src.rpartition(":")
    dst_ip, _, dst_port = dst.rpartition(":")
    row |= {"src_ip": src_ip, "src_port": int(src_port), "dst_ip": dst_ip, "dst_port": int(dst_port), "protocol": 6}
    row |= {"start_time": at(start), "end_time": at(start + 0.01 if end is None else end), "started": True}
    return row | {"end_reason": "closed", "connection_state": "SF"} | more


def query(
    client: str, server: str, name: str, start: float = 0, answers: list[Object] | None = None, **more: Any
) -> Object:
    """An answered query of type A, 1 ms later; ``answers`` None for an unanswered one."""
    row = {field.name: _default(field) for field in DNS.collected}
    client_ip, _, client_port = client.rpartition(":")
    server_ip, _, server_port = server.rpartition(":")
    row |= {"client_ip": client_ip, "client_port": int(client_port), "server_ip": server_ip}
    row |= {"server_port": int(server_port), "transport": "udp", "id": 1, "qname": name, "qtype": "A", "qclass": "IN"}
    row |= {"start_time": at(start), "query_time": at(start), "attempts": 1, "outcome": "unanswered"}
    if answers is not None:
        response = {"response_time": at(start + 0.001), "latency_us": 1000, "rcode": "NOERROR"}
        row |= {"answers": answers, "outcome": "answered", **response}
    return row | more


def answer(name: str, data: str, ttl: int = 60, kind: str = "A") -> Object:
    return {"name": name, "type": kind, "ttl": ttl, "data": data}


def flows(*rows: Object) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=FLOWS.collected)


def dns(*rows: Object) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=DNS.collected)


def _default(field: pa.Field) -> Any:
    if field.nullable:
        return None
    return {pa.bool_(): False, pa.string(): ""}.get(field.type, 0)
