"""Flows of a small cluster as the enricher completes them, and the objects that it has now."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from analysis.policy.endpoints import Endpoint
from contract.tables import TABLES
from store.lake import Lake
from tests.support.lake import make_tables

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
NODES = {"node-1": "172.18.0.11", "node-2": "172.18.0.12"}
NAMES = ("kind", "namespace", "pod", "workload_kind", "workload", "node", "zone", "labels")
NOTHING = {f"{side}_{name}": None for side in ("src", "dst") for name in NAMES} | {
    name: None
    for name in (
        "service_namespace",
        "service",
        "service_port_name",
        "backend_ip",
        "backend_port",
        "dst_domain",
        "dst_registered_domain",
        "domain_confidence",
        "domain_alternatives",
    )
}

Row = dict[str, Any]


def pod(workload: str, address: str, namespace: str = "shop", number: int = 0, **more: Any) -> Row:
    told = {
        "kind": "pod",
        "namespace": namespace,
        "pod": f"{workload}-{number}",
        "workload_kind": "Deployment",
        "workload": workload,
        "node": "node-1",
        "labels": [("app", workload)],
    }
    return {"ip": address} | told | more


def node(name: str = "node-1") -> Row:
    return {"ip": NODES[name], "kind": "node", "workload_kind": "Node", "workload": name, "node": name}


def outside(address: str) -> Row:
    return {"ip": address, "kind": "external"}


def flow(number: int, src: Row, dst: Row, port: int = 80, **more: Any) -> Row:
    """Connection ``number``, a second after the one before it."""
    start = NOON + timedelta(seconds=number)
    like = next(row for row in make_tables()["flows"].to_pylist() if row["connection_state"] == "SF")
    ends = {f"{side}_{name}": value for side, end in (("src", src), ("dst", dst)) for name, value in end.items()}
    told = {"connection_id": f"c{number}", "src_port": 30000 + number, "dst_port": port, "src_bytes": 100}
    told |= {"dst_bytes": 900, "start_time": start, "end_time": start + timedelta(seconds=1), "reporter": "src"}
    told |= {"node": "node-1", "interface": "veth", "started": True, "domain_method": None, "ambiguous": False}
    return like | NOTHING | told | ends | more


def make_history(folder: Path, flows: list[Row], **tables: list[Row]) -> Lake:
    lake = Lake.create(folder)
    rows = {"flows": flows} | tables
    lake.append({name: pa.Table.from_pylist(of_one, schema=TABLES[name].schema) for name, of_one in rows.items()})
    return lake


def assignment(end: Row, **more: Any) -> Row:
    names = ("ip", "kind", "namespace", "workload_kind", "workload", "node", "labels")
    told = {name: end[name] for name in names} | {"name": end["pod"], "uid": f"uid-{end['pod']}", "cluster": "test"}
    return told | {"host_network": False, "from_time": NOON - timedelta(hours=1), "until_time": None} | more


def endpoint(end: Row, **more: Any) -> Endpoint:
    """The pod or node as Kubernetes has it now."""
    is_pod = end["kind"] == "pod"
    namespace = end.get("namespace")
    told = {
        "kind": end["kind"],
        "namespace": namespace,
        "name": end["pod"] if is_pod else end["workload"],
        "address": end["ip"],
        "labels": dict(end.get("labels", ())),
        "namespace_labels": {"kubernetes.io/metadata.name": namespace} if is_pod else {},
        "service_account": "default" if is_pod else None,
        "ports": {},
        "host_network": not is_pod,
        "node": end["node"],
        "workload": (end["workload_kind"], end["workload"]) if is_pod else None,
    }
    return Endpoint(**told | more)
