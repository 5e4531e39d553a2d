"""Who is in the cluster and around it: pods, nodes, addresses outside, day by day."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.past import Past
from contract.columns import LABELS

START_US = 1_792_972_800_000_000  # 2026-10-26, a Monday
DAY_US = 86_400_000_000
CLUSTER = "bench"

RESOLVER = 0  # the first workload
RESOLVERS = 4
MOST_REPLICAS = 13
MOST_ROLL_OUTS = 2
DOMAIN_ADDRESSES = 4
PORTS = (8080, 8443, 9090, 5432, 6379, 7070, 3000, 50051)

FIRST_POD = IPv4Address("10.128.0.1")
FIRST_SERVICE = IPv4Address("10.96.0.10")
FIRST_NODE = IPv4Address("172.18.0.10")
FIRST_OUTSIDE = IPv4Address("198.51.100.1")

END = ("ip", "kind", "namespace", "pod", "workload_kind", "workload", "node", "zone", "labels")
NOTHING = dict.fromkeys(END)

End = dict[str, Any]


@dataclass(frozen=True)
class Cluster:
    """Ends lie together by group and day: of group g on day d they are ``[first[g, d], first[g, d] + size[g, d])``.

    The groups are the workloads in their order, then all nodes, all visitors, and each domain.
    """

    past: Past
    ends: list[End]
    first: np.ndarray
    size: np.ndarray

    @property
    def node_group(self) -> int:
        return self.past.workloads

    @property
    def visitor_group(self) -> int:
        return self.past.workloads + 1

    def domain_group(self, domain: int) -> int:
        return self.past.workloads + 2 + domain

    @cached_property
    def table(self) -> pa.Table:
        types = {name: LABELS if name == "labels" else pa.string() for name in END}
        return pa.table({name: pa.array([end[name] for end in self.ends], types[name]) for name in END})

    @cached_property
    def node_of(self) -> np.ndarray:
        """For each end that of the node it runs on, or its own."""
        nodes = {end["node"]: row for row, end in enumerate(self.ends) if end["kind"] == "node"}
        return np.array([nodes.get(end["node"], row) for row, end in enumerate(self.ends)])


def namespace(past: Past, workload: int) -> str:
    return "kube-system" if workload == RESOLVER else f"team-{workload % past.namespaces:02d}"


def name(workload: int) -> str:
    return "coredns" if workload == RESOLVER else f"app-{workload:03d}"


def port(workload: int) -> int:
    return 53 if workload == RESOLVER else PORTS[workload % len(PORTS)]


def tier(workload: int) -> str:
    return f"tier-{workload % 4}"


def domain_name(domain: int) -> str:
    return f"api-{domain:03d}.example.com"


def service_ip(workload: int) -> str:
    return str(FIRST_SERVICE + workload)


def make(past: Past) -> Cluster:
    random = np.random.default_rng(past.seed)
    groups = [_pods(past, random, workload) for workload in range(past.workloads)]
    groups.append([[_node(number) for number in range(past.nodes)]] * past.days)
    sizes = [past.visitors, *[DOMAIN_ADDRESSES] * past.domains]
    groups += [[[_outside() for _ in range(size)]] * past.days for size in sizes]
    ends, first, size = _laid_out(groups, past.days)
    _number(ends)
    return Cluster(past, ends, first, size)


def _laid_out(groups: list[list[list[End]]], count: int) -> tuple[list[End], np.ndarray, np.ndarray]:
    ends: list[End] = []
    first, size = np.zeros((2, len(groups), count), np.int64)
    for group, days in enumerate(groups):
        for day, present in enumerate(days):
            lasts = day > 0 and present is days[day - 1]
            first[group, day] = first[group, day - 1] if lasts else len(ends)
            size[group, day] = len(present)
            ends += [] if lasts else present
    return ends, first, size


def _number(ends: list[End]) -> None:
    """No address is used again."""
    pods, outside = (_addresses(one) for one in (FIRST_POD, FIRST_OUTSIDE))
    for end in ends:
        if end["kind"] != "node":
            end["ip"] = next(pods if end["kind"] == "pod" else outside)


def _addresses(address: IPv4Address) -> Iterator[str]:
    while True:
        yield str(address)
        address += 1


def _pods(past: Past, random: np.random.Generator, workload: int) -> list[list[End]]:
    """Those of each day; a roll-out replaces them all at midnight."""
    replicas = RESOLVERS if workload == RESOLVER else int(random.integers(1, MOST_REPLICAS, endpoint=True))
    roll_outs = int(random.integers(0, MOST_ROLL_OUTS, endpoint=True))
    new = {0, *random.integers(1, past.days, roll_outs).tolist()}
    days: list[list[End]] = []
    for day in range(past.days):
        fresh = [_pod(past, random, workload, f"{day}-{replica:02d}") for replica in range(replicas)]
        days.append(fresh if day in new else days[-1])
    return days


def _pod(past: Past, random: np.random.Generator, workload: int, number: str) -> End:
    revision = f"{workload:03d}{number[0]}"
    labels = {"app.kubernetes.io/name": name(workload), "tier": tier(workload), "pod-template-hash": revision}
    held = {
        "kind": "pod",
        "namespace": namespace(past, workload),
        "pod": f"{name(workload)}-{number}",
        "workload_kind": "Deployment",
        "workload": name(workload),
        "labels": list(labels.items()),
    }
    return _node(int(random.integers(past.nodes))) | held


def _node(number: int) -> End:
    node = f"node-{number:02d}"
    held = {"ip": str(FIRST_NODE + number), "kind": "node", "workload_kind": "Node", "workload": node, "node": node}
    return NOTHING | held | {"zone": f"zone-{'abc'[number % 3]}"}


def _outside() -> End:
    return NOTHING | {"kind": "external"}
