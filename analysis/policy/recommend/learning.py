"""History as edges between workloads, each with its evidence, and with the reason where it must not be learned."""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from analysis.policy.endpoints import PROTOCOLS, Mask, Numbers, Workload
from analysis.policy.evaluate import ALWAYS, evaluate
from analysis.policy.history import History
from analysis.policy.recommend.behind import SERVICE
from analysis.policy.recommend.model import End, Evidence, Node, Omission, Outside, Reason
from analysis.policy.recommend.scans import TCP, scanned
from analysis.policy.rules import Direction, Policies, Section
from analysis.policy.selectors import Every

# Where clouds give a machine its credentials, over TCP: AWS, Azure, GCP and others; AWS over IPv6; Alibaba; tasks of ECS;
# pods of EKS; Azure's host agent. At port 53 some of them answer DNS.
METADATA = frozenset(
    {
        "169.254.169.254",
        "fd00:ec2::254",
        "100.100.100.200",
        "169.254.170.2",
        "169.254.170.23",
        "fd00:ec2::23",
        "168.63.129.16",
    }
)

DNS_PORT = 53

REASONS = (Reason.METADATA, Reason.SCAN, Reason.UNNAMED, Reason.UNNAMEABLE, Reason.UNANSWERED, Reason.GUESSED)
# What a row is if it is not left out for one of the reasons: needed, needed of its own node only, always allowed.
NEEDED, OWN_NODE, FREE = -1, -2, -3

SUMS = {
    "connections": "sum",
    "failed": "sum",
    "ambiguous": "sum",
    "unanswered": "sum",
    "bytes": "sum",
    "first_seen": "min",
    "last_seen": "max",
}


@dataclass(frozen=True)
class Learning:
    """``needed`` and ``left_out`` are rows of history; ``free`` are edges that no policy can forbid, probes for one."""

    history: History
    ends: Sequence[End]
    needed: Mask
    left_out: Mask
    edges: tuple[Evidence, ...]
    free: tuple[Evidence, ...]
    omissions: tuple[Omission, ...]


def learn(
    history: History,
    ends: Sequence[End],
    listens: Container[tuple[End, int]] = (),
    unresolved: Iterable[Evidence] = (),
) -> Learning:
    """``listens`` are the ports that workloads declare."""
    numbers: dict[End, int] = {}
    of_endpoint = np.array([numbers.setdefault(end, len(numbers)) for end in ends], np.int64)
    src, dst = of_endpoint[history.edges.src], of_endpoint[history.edges.dst]
    kinds = _kinds(history, list(numbers), src, dst)
    kinds[_guessed(history, ends, listens, (src, dst), kinds)] = REASONS.index(Reason.GUESSED)
    found = _evidence(history, list(numbers), (src, dst), kinds)
    return Learning(
        history=history,
        ends=ends,
        needed=np.isin(kinds, (NEEDED, OWN_NODE)),
        left_out=kinds >= 0,
        edges=tuple(edge for kind, edge in found if kind in (NEEDED, OWN_NODE)),
        free=tuple(edge for kind, edge in found if kind == FREE),
        omissions=(
            *(Omission(REASONS[kind], edge) for kind, edge in found if kind >= 0),
            *(Omission(Reason.UNRESOLVED, edge) for edge in unresolved),
        ),
    )


def _kinds(history: History, ends: Sequence[End], src: Numbers, dst: Numbers) -> Numbers:
    """What each row is."""
    outside = [one if isinstance(one, Outside) else None for one in ends]
    clouds = np.array([one is not None and one.address in METADATA for one in outside], np.bool_)
    metadata = clouds[dst] & (history.edges.protocol == TCP) & (history.edges.port != DNS_PORT)
    unnamed = np.array([one is not None and not one.named for one in outside], np.bool_)
    kinds = _free(history, ends, dst)
    unnameable = np.isin(history.edges.protocol, [*PROTOCOLS.values()]) & (history.edges.port <= 0)
    for kind, mask in enumerate((metadata, scanned(history), unnamed[src] | unnamed[dst], unnameable)):
        kinds[(kinds == NEEDED) & mask] = kind
    needed = np.flatnonzero(kinds == NEEDED)
    kinds[needed[_wholly("failed", history, (src, dst), needed)]] = REASONS.index(Reason.UNANSWERED)
    return kinds


def _free(history: History, ends: Sequence[End], dst: Numbers) -> Numbers:
    """A pod and its node, a pod and itself. From a pod to its node some dialects want a rule all the same."""
    denials = [Section("", direction, Every()) for direction in Direction]
    verdicts = evaluate(Policies(denials), history.endpoints, history.edges)
    to_node = np.array([isinstance(one, Node) for one in ends], np.bool_)[dst]
    kinds = np.full(len(dst), NEEDED, np.int64)
    kinds[(verdicts.egress == ALWAYS) | (verdicts.ingress == ALWAYS)] = FREE
    kinds[(verdicts.egress == ALWAYS) & to_node] = OWN_NODE
    return kinds


def _guessed(
    history: History,
    ends: Sequence[End],
    listens: Container[tuple[End, int]],
    numbers: tuple[Numbers, Numbers],
    kinds: Numbers,
) -> Sequence[int]:
    """Needed rows that no connection was seen to open, on a port that dst does not declare: maybe src is who listens."""
    needed = np.flatnonzero(kinds == NEEDED)
    rows = needed[_wholly("guessed", history, numbers, needed)].tolist()
    dst, port = history.edges.dst, history.edges.port
    return [row for row in rows if (ends[int(dst[row])], int(port[row])) not in listens]


def _wholly(counted: str, history: History, numbers: tuple[Numbers, Numbers], rows: Numbers) -> Mask:
    """Edges of which all connections are so. Of whole workloads: what one pod got answered, the others need as well."""
    src, dst = numbers
    keys = np.stack([src[rows], dst[rows], history.edges.protocol[rows], history.edges.port[rows]], axis=1)
    _, edge = np.unique(keys, axis=0, return_inverse=True)
    edge = edge.reshape(-1)
    connections, so = (
        np.bincount(edge, weights=history.rows[name].to_numpy()[rows]) for name in ("connections", counted)
    )
    return np.asarray((so == connections)[edge])


def _evidence(
    history: History, ends: Sequence[End], numbers: tuple[Numbers, Numbers], kinds: Numbers
) -> list[tuple[int, Evidence]]:
    """Each edge between workloads with what it is, in an order of their names."""
    columns = {name: history.rows[name] for name in (*SUMS, SERVICE)}
    columns |= {"src": pa.array(numbers[0]), "dst": pa.array(numbers[1]), "kind": pa.array(kinds)}
    columns |= {"protocol": pa.array(history.edges.protocol), "port": pa.array(history.edges.port)}
    groups = pa.table(columns).group_by(["src", "dst", "protocol", "port", "kind", SERVICE], use_threads=False)
    rows = groups.aggregate(list(SUMS.items())).to_pylist()
    found = [(row["kind"], _one(row, ends)) for row in rows]
    return sorted(found, key=lambda one: (one[0], one[1].key))


def _one(row: Mapping[str, Any], ends: Sequence[End]) -> Evidence:
    sums = {name: row[f"{name}_{how}"] for name, how in SUMS.items()}
    return Evidence(
        src=ends[row["src"]],
        dst=ends[row["dst"]],
        protocol=row["protocol"],
        port=row["port"],
        service=row[SERVICE],
        own_node=row["kind"] == OWN_NODE,
        **sums,
    )


def touches(edge: Evidence, namespaces: frozenset[str]) -> bool:
    return is_of((edge.src, edge.dst), namespaces)


def is_of(ends: Iterable[End], namespaces: frozenset[str]) -> bool:
    return any(isinstance(end, Workload) and end.namespace in namespaces for end in ends)
