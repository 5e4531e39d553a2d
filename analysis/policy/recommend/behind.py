"""Edges of which only the Service's address was seen, as edges to each workload that the Service may choose.

A policy has to allow whichever pod is behind the Service, so that all of them count as seen.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from analysis.policy.endpoints import Endpoint
from analysis.policy.evaluate import Edges
from analysis.policy.history import History
from analysis.policy.owners import End, Owners
from analysis.policy.recommend.cluster import Cluster, Service, ServicePort, target

SERVICE = "through_service"


class _Added(NamedTuple):
    """One edge in place of an unresolved row."""

    row: int
    src: int
    dst: int
    port: int
    service: str


def through_services(history: History, cluster: Cluster) -> History:
    """With the column ``through_service``; what stays unresolved has no Service in the objects, or nothing behind it."""
    table = _Endpoints(history, cluster)
    added = [
        edge for place, row in enumerate(_asked(history.unresolved)) for edge in _edges(place, row, cluster, table)
    ]
    rows = np.array([edge.row for edge in added], np.int64)
    service = pa.array([edge.service for edge in added], pa.string())
    seen = history.rows.append_column(SERVICE, pa.nulls(history.rows.num_rows, pa.string()))
    reached = [table.endpoints[edge.dst] for edge in added]
    through = _named(history.unresolved.take(pa.array(rows)), reached, added).append_column(SERVICE, service)
    left = np.setdiff1d(np.arange(history.unresolved.num_rows), rows)
    old = history.edges
    edges = Edges(
        src=np.append(old.src, [edge.src for edge in added]).astype(np.int64),
        dst=np.append(old.dst, [edge.dst for edge in added]).astype(np.int64),
        protocol=np.append(old.protocol, through["protocol"].to_numpy()).astype(np.int64),
        port=np.append(old.port, [edge.port for edge in added]).astype(np.int64),
    )
    return replace(
        history,
        rows=pa.concat_tables([seen, through]).combine_chunks(),
        edges=edges,
        endpoints=table.endpoints,
        unresolved=history.unresolved.take(pa.array(left)),
    )


def _named(rows: pa.Table, reached: Sequence[Endpoint], added: Sequence[_Added]) -> pa.Table:
    """The same rows with whom they reach in the place of the Service."""
    pods = [one if one.kind == "pod" else None for one in reached]
    owners = [one.workload or (("Node", one.name) if one.kind == "node" else (None, None)) for one in reached]
    told = {
        "dst_kind": [one.kind for one in reached],
        "dst_namespace": [one.namespace for one in reached],
        "dst_pod": [one and one.name for one in pods],
        "dst_workload_kind": [kind for kind, _ in owners],
        "dst_workload": [name for _, name in owners],
        "dst_address": [one.address or row for one, row in zip(reached, rows["dst_address"].to_pylist(), strict=True)],
        "port": [edge.port for edge in added],
    }
    for name, values in told.items():
        place = rows.schema.get_field_index(name)
        rows = rows.set_column(place, name, pa.array(values, rows.schema.field(name).type))
    return rows


class _Endpoints:
    """Those of history, and those that are added to them."""

    def __init__(self, history: History, cluster: Cluster) -> None:
        self.endpoints = list(history.endpoints)
        self._numbers = {_identity(one): number for number, one in enumerate(self.endpoints)}
        self._owners = Owners(cluster.endpoints, ())

    def number(self, endpoint: Endpoint) -> int:
        key = _identity(endpoint)
        if key not in self._numbers:
            self._numbers[key] = len(self.endpoints)
            self.endpoints.append(endpoint)
        return self._numbers[key]

    def src(self, row: Mapping[str, Any]) -> int:
        names = [name for name in End._fields if name != "domain"]
        end = End(*(row[f"src_{name}"] for name in names))
        # A pod that is gone has its labels where history has it on another edge.
        known = self._numbers.get(("pod", end.namespace, end.pod)) if end.pod else None
        return self.number(self.at(end)) if known is None else known

    def at(self, end: End) -> Endpoint:
        found = self._owners.endpoint(end)
        return self.at(End(None, None, None, None, None, end.address)) if found is None else found


def _identity(one: Endpoint) -> tuple[str | None, ...]:
    if one.kind == "pod":
        return "pod", one.namespace, one.name
    return one.kind, one.name, one.address, one.domain


def _asked(unresolved: pa.Table) -> list[dict[str, Any]]:
    names = [f"src_{name}" for name in End._fields if name != "domain"]
    rows: list[dict[str, Any]] = unresolved.select([*names, "dst_address", "protocol", "port"]).to_pylist()
    return rows


def _edges(place: int, row: Mapping[str, Any], cluster: Cluster, table: _Endpoints) -> Iterator[_Added]:
    service = cluster.service_at.get(row["dst_address"])
    if service is not None:
        ports = service.asked(row["protocol"], row["port"])
        src = table.src(row)
        reached = {**_pods(service, ports, cluster, table.endpoints[src]), **_addresses(service, ports, cluster)}
        for endpoint, port in reached.values():
            yield _Added(place, src, table.number(endpoint), port, f"{service.namespace}/{service.name}")


Reached = dict[tuple[object, int], tuple[Endpoint, int]]


def _pods(service: Service, ports: list[ServicePort], cluster: Cluster, src: Endpoint) -> Reached:
    """A pod of each workload behind these ports, with its own port: of src's own workload another than src."""
    found: Reached = {}
    for workload, pod, _ in cluster.behind(service):
        if _identity(pod) == _identity(src):
            continue
        for number in filter(None, (target(port, pod) for port in ports)):
            found.setdefault((workload, number), (replace(pod, workload=(workload.kind, workload.name)), number))
    return found


def _addresses(service: Service, ports: list[ServicePort], cluster: Cluster) -> Reached:
    """Of a Service without a selector: the API server's, for one."""
    names = {port.name for port in ports}
    backends = () if service.selector else (one for one in service.backends if one.name in names)
    return {(one.address, one.port): (cluster.holder(one.address), one.port) for one in backends}
