"""What is true of a live cluster: what its programs said they did, in the words of the lake's views."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from samples.cluster.plan import Pod
from samples.cluster.truth import workload
from store.lake import Lake
from tests.support.live_cluster import LiveCluster
from tests.support.live_plan import LIVE, NODES, OFFICE, PARTNER_NAME

TCP = 6
End = tuple[str | None, ...]
Edge = tuple[End, End, int, int | None]
Edges = Counter[Edge]

OUTSIDE = {"office": OFFICE, "partner": PARTNER_NAME}


def end_of(name: str) -> End:
    """A pod by its key or its workload, a node, or who is outside."""
    if name in OUTSIDE:
        return "external", OUTSIDE[name]
    if name in NODES:
        return "node", None, "Node", name
    return "pod", *workload(pod_of(name)).values()


def pod_of(name: str) -> Pod:
    return next(pod for pod in LIVE.pods.values() if name in (pod.key, pod.workload))


def port_of(to: str) -> int:
    """A Service's port is the pod's behind it."""
    return 443 if to == "partner" else next(iter(pod_of(to).ports.values()))


def true_edges(cluster: LiveCluster) -> Edges:
    """Each with how many connections were opened."""
    edges: Edges = Counter()
    for who, call in cluster.said("call"):
        edges[end_of(who), end_of(call["to"]), TCP, port_of(call["to"])] += 1
    return edges


def asked(lake: Lake, query: str) -> list[dict[str, Any]]:
    with lake.connect() as views:
        rows: list[dict[str, Any]] = views.sql(query).to_arrow_table().to_pylist()
    return rows


def seen_end(row: dict[str, Any], side: str) -> End:
    kind, *known = (row[f"{side}_{part}"] for part in ("kind", "namespace", "workload_kind", "workload"))
    return (kind, *known) if known[-1] else (kind, row[f"{side}_name"])


def seen_edges(lake: Lake) -> Edges:
    """Of TCP: two queries from one port are one connection of UDP, and two transactions."""
    edges: Edges = Counter()
    for row in asked(lake, f"select * from edges where protocol = {TCP}"):
        edges[seen_end(row, "src"), seen_end(row, "dst"), row["protocol"], row["port"]] += row["connections"]
    return edges


def difference(seen: Edges, true: Edges) -> list[str]:
    """What an assertion shows: each edge with what was seen and what is true."""
    edges: Iterable[Edge] = sorted(seen.keys() | true.keys(), key=repr)
    return [f"{edge}: {seen[edge]}, true {true[edge]}" for edge in edges if seen[edge] != true[edge]]
