"""Who calls whom: between workloads, to the resolver, from the kubelets, outwards and inwards."""

from dataclasses import dataclass

import numpy as np

from benchmarks.past import Past
from benchmarks.past.cluster import RESOLVER, Cluster, domain_name, port

TCP, UDP = 6, 17
GATEWAYS = 3
SERVICE_PORT = 80

# Which part of all connections they are.
BETWEEN, RESOLVING, PROBING, OUTWARD, INWARD = 0.55, 0.20, 0.08, 0.12, 0.05
BY_SERVICE, STICKY, DEAD = 0.8, 0.7, 0.02


@dataclass
class Calls:
    """A row each; ``sticky``: each replica of src keeps to two of dst; ``dead``: nobody ever answers."""

    src: np.ndarray
    dst: np.ndarray
    protocol: np.ndarray
    port: np.ndarray  # the Service's, where there is one
    pod_port: np.ndarray
    by_service: np.ndarray
    sticky: np.ndarray
    dead: np.ndarray
    share: np.ndarray
    domain: list[str | None]

    def __len__(self) -> int:
        return len(self.src)


def make(cluster: Cluster) -> Calls:
    past = cluster.past
    random = np.random.default_rng(past.seed + 1)
    everyone = np.arange(1, past.workloads)
    pairs = _pairs(random, past)
    asked, visited = np.arange(past.domains), np.arange(1, 1 + GATEWAYS)
    kinds = [
        (pairs[:, 0], pairs[:, 1], BETWEEN),
        (everyone, np.full(len(everyone), RESOLVER), RESOLVING),
        (np.full(len(everyone), cluster.node_group), everyone, PROBING),
        (random.integers(1, past.workloads, past.domains), cluster.domain_group(0) + asked, OUTWARD),
        (np.full(GATEWAYS, cluster.visitor_group), visited, INWARD),
    ]
    dst = np.concatenate([dst for _, dst, _ in kinds])
    between = np.arange(len(dst)) < len(pairs)
    resolving, outward = dst == RESOLVER, dst >= cluster.domain_group(0)
    pod_port = np.where(
        outward, 443, [0 if one else port(int(workload)) for one, workload in zip(outward, dst, strict=True)]
    )
    by_service = resolving | (between & (random.random(len(dst)) < BY_SERVICE))
    return Calls(
        src=np.concatenate([src for src, _, _ in kinds]),
        dst=dst,
        protocol=np.where(resolving, UDP, TCP),
        port=np.where(by_service & ~resolving, SERVICE_PORT, pod_port),
        pod_port=pod_port,
        by_service=by_service,
        sticky=~between | (random.random(len(dst)) < STICKY),
        dead=between & (random.random(len(dst)) < DEAD),
        share=np.concatenate([_shares(random, len(src), of_all) for src, _, of_all in kinds]),
        domain=[
            domain_name(int(group) - cluster.domain_group(0)) if out else None
            for group, out in zip(dst, outward, strict=True)
        ],
    )


def _pairs(random: np.random.Generator, past: Past) -> np.ndarray:
    """Few are called by many."""
    src = random.integers(1, past.workloads, 2 * past.calls)
    dst = 1 + (random.random(2 * past.calls) ** 2 * (past.workloads - 1)).astype(np.int64)
    return random.permutation(np.unique(np.stack([src, dst], 1)[src != dst], axis=0))[: past.calls]


def _shares(random: np.random.Generator, count: int, of_all: float) -> np.ndarray:
    """Some call a hundred times as often as others."""
    weights = random.permutation(1 / (1 + np.arange(count) % 100))
    return weights / weights.sum() * of_all
