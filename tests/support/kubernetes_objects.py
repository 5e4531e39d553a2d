"""Kubernetes objects as rows of the objects table: Services and what is behind them."""

import json
from datetime import UTC, datetime
from typing import Any

READ = datetime(2026, 11, 1, 12, 0, 5, tzinfo=UTC)

Row = dict[str, Any]


def kubernetes_object(kind: str, namespace: str, name: str, document: Row, **more: Any) -> Row:
    group = "discovery.k8s.io/v1" if kind == "EndpointSlice" else "v1"
    metadata = {"namespace": namespace, "name": name} | document.pop("metadata", {})
    told = {"apiVersion": group, "kind": kind, "metadata": metadata} | document
    row = {"cluster": "test", "seen_time": READ, "kind": kind, "namespace": namespace, "name": name}
    return row | {"document": json.dumps(told)} | more


def service(namespace: str, name: str, address: str | None = None, **more: Any) -> Row:
    ports = [{"port": 80, "protocol": "TCP"}, {"port": 80, "protocol": "UDP"}]
    spec = {
        "clusterIP": address or "None",
        "clusterIPs": [address or "None"],
        "ports": ports,
        "selector": {"app": name},
    }
    return kubernetes_object("Service", namespace, name, {"spec": spec}, **more)


def endpoints(namespace: str, name: str, *ready: bool | None, family: str = "IPv4", **more: Any) -> Row:
    """One EndpointSlice of the Service, with an endpoint for each of ``ready``."""
    listed = [
        {
            "addresses": [f"10.244.9.{number}" if family == "IPv4" else f"fd00::{number}"],
            "conditions": {} if is_ready is None else {"ready": is_ready},
            "targetRef": {"kind": "Pod", "namespace": namespace, "name": f"{name}-{number}", "uid": f"{name}-{number}"},
        }
        for number, is_ready in enumerate(ready)
    ]
    labels = {"labels": {"kubernetes.io/service-name": name}}
    document = {"metadata": labels, "addressType": family, "endpoints": listed, "ports": [{"port": 8080}]}
    return kubernetes_object("EndpointSlice", namespace, f"{name}-{family.lower()}", document, **more)
