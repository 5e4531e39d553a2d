"""A past as files: the lake, the objects the cluster has now, the policies."""

import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from benchmarks.past import Past, calls, cluster, flows, names, policies
from benchmarks.past.cluster import CLUSTER, DAY_US, RESOLVER, START_US, Cluster, namespace, service_ip
from benchmarks.past.flows import LONGEST_US
from contract.tables import TABLES
from enricher.counted import COLUMNS, counted
from enricher.sql import connect
from store.lake import Lake

DONE = "made.json"


def write(past: Past, folder: Path) -> None:
    """What is there already is kept, if it was made from the same."""
    if (folder / DONE).exists() and json.loads((folder / DONE).read_text()) == asdict(past):
        return
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "policies").mkdir(parents=True)
    made = cluster.make(past)
    talk = calls.make(made)
    for number, text in enumerate(policies.documents(made, talk)):
        (folder / "policies" / f"{number:03d}.yaml").write_text(text)
    (folder / "objects.json").write_text(json.dumps({"kind": "List", "apiVersion": "v1", "items": objects(made)}))
    lake = Lake.create(folder / "lake")
    lake.append({"assignments": assignments(made), "coverage": coverage(past)})
    with connect() as connection:
        for records in flows.ingests(made, talk):
            lake.append({"flows": _counted(connection, records)})
    if past.transactions:
        lake.append({"objects": _kept(made)})
        for transactions, resolutions in names.parts(made, past.transactions):
            lake.append({"dns": transactions, "resolutions": resolutions})
    (folder / DONE).write_text(json.dumps(asdict(past)))


def _counted(connection: duckdb.DuckDBPyConnection, records: pa.Table) -> pa.Table:
    """As the enricher says it of what is ingested together."""
    columns = {name: records[name] for name in records.schema.names}
    return pa.Table.from_pydict(columns | counted(connection, records.drop_columns(COLUMNS)), schema=records.schema)


def lives(made: Cluster) -> dict[int, tuple[int, int | None]]:
    """Of each end of the cluster the first day it is there, and the first it is gone."""
    days = made.past.days
    found: dict[int, tuple[int, int | None]] = {}
    for group in range(made.past.workloads + 1):
        for day in range(days):
            for end in range(made.first[group, day], made.first[group, day] + made.size[group, day]):
                until = day + 1 if day + 1 < days else None
                found[end] = (found.get(end, (day, None))[0], until)
    return found


def assignments(made: Cluster) -> pa.Table:
    rows = []
    for end, (since, until) in lives(made).items():
        held = {name: made.ends[end][name] for name in cluster.END if name != "pod"}
        rows.append(
            held
            | {"cluster": CLUSTER, "uid": f"uid-{end}", "name": made.ends[end]["pod"] or made.ends[end]["workload"]}
            | {"labels": held["labels"] or [], "host_network": False}
            | {"from_time": START_US + since * DAY_US, "until_time": until and START_US + until * DAY_US}
        )
    return pa.Table.from_pylist(rows, schema=TABLES["assignments"].schema)


def coverage(past: Past) -> pa.Table:
    """Every node was captured all the time."""
    none = ("packets", "bytes", "cut_packets", "dns_malformed", "evictions", "pending_overflows")
    overflows = ("stream_overflows", "datagram_overflows", "hello_overflows")
    row = dict.fromkeys((*none, *overflows), 0) | {"cluster": CLUSTER, "source": "generated", "discarded": []}
    row |= {"interface": "any", "from_time": START_US, "until_time": START_US + past.days * DAY_US + LONGEST_US}
    rows = [row | {"node": f"node-{number:02d}"} for number in range(past.nodes)]
    return pa.Table.from_pylist(rows, schema=TABLES["coverage"].schema)


def objects(made: Cluster) -> list[dict[str, Any]]:
    """What ``kubectl get -A -o json`` would say on the last day."""
    now = [made.ends[end] for end, (_, until) in lives(made).items() if until is None]
    names = {end["namespace"] for end in now if end["kind"] == "pod"}
    spaces = [_object("Namespace", name, None, {"team": name}) for name in sorted(names)]
    return spaces + [_pod(end) if end["kind"] == "pod" else _node(end) for end in now]


def _kept(made: Cluster) -> pa.Table:
    """The Services and what is ready behind them, as the lake keeps them."""
    found = []
    for workload in range(made.past.workloads):
        listed = {"app": cluster.name(workload)}
        service = _object("Service", cluster.name(workload), namespace(made.past, workload), listed)
        ports = [{"port": cluster.port(workload), "protocol": "UDP" if workload == RESOLVER else "TCP"}]
        service["spec"] = {"clusterIP": service_ip(workload), "clusterIPs": [service_ip(workload)], "ports": ports}
        behind = {"kubernetes.io/service-name": cluster.name(workload)}
        part = _object("EndpointSlice", cluster.name(workload), namespace(made.past, workload), behind)
        last = made.past.days - 1
        ends = made.ends[made.first[workload, last] :][: made.size[workload, last]]
        part["endpoints"] = [{"addresses": [end["ip"]], "conditions": {"ready": True}} for end in ends]
        part |= {"apiVersion": "discovery.k8s.io/v1", "addressType": "IPv4", "ports": ports}
        found += [service, part]
    read = {"cluster": CLUSTER, "seen_time": START_US + made.past.days * DAY_US}
    rows = [
        read
        | {"kind": one["kind"], "document": json.dumps(one)}
        | {key: one["metadata"][key] for key in ("namespace", "name")}
        for one in found
    ]
    return pa.Table.from_pylist(rows, schema=TABLES["objects"].schema)


def _object(kind: str, name: str, namespace: str | None, labels: dict[str, str]) -> dict[str, Any]:
    place = {"namespace": namespace} if namespace else {}
    return {"kind": kind, "apiVersion": "v1", "metadata": {"name": name, "labels": labels} | place}


def _pod(end: cluster.End) -> dict[str, Any]:
    number = cluster.RESOLVER if end["workload"] == "coredns" else int(end["workload"].removeprefix("app-"))
    ports = [
        {
            "name": "main",
            "containerPort": cluster.port(number),
            "protocol": "UDP" if number == cluster.RESOLVER else "TCP",
        }
    ]
    spec = {"nodeName": end["node"], "containers": [{"name": "main", "ports": ports}]}
    status = {"phase": "Running", "podIP": end["ip"], "podIPs": [{"ip": end["ip"]}]}
    return _object("Pod", end["pod"], end["namespace"], dict(end["labels"])) | {"spec": spec, "status": status}


def _node(end: cluster.End) -> dict[str, Any]:
    status = {"addresses": [{"type": "InternalIP", "address": end["ip"]}]}
    return _object("Node", end["workload"], None, {"topology.kubernetes.io/zone": end["zone"]}) | {"status": status}
