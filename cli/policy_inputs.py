"""What the verbs of policy read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cli import policy_options as p
from cli.reading import open_lake
from contract.errors import UsageError

if TYPE_CHECKING:
    from analysis.policy.endpoints import Endpoint
    from analysis.policy.history import History
    from analysis.policy.replay import Asked
    from store.lake import Lake


@dataclass(frozen=True)
class Surroundings:
    """The cluster as it is and, where a lake was named, what was seen of it."""

    known: Sequence["Endpoint"]
    lake: "Lake | None"
    history: "History | None"
    reading: Sequence[str] = ()


def surroundings(lake: str | None, kube: str | None, asked: "Asked") -> Surroundings:
    from analysis.policy.recommend.cluster import read_cluster
    from analysis.policy.replay import cluster_history
    from analysis.policy.topology import read_endpoints

    if lake is None:
        if kube is None:
            raise UsageError("give --kube, or a --lake that was ingested with the cluster's objects")
        return Surroundings(read_endpoints(kube), None, None)
    opened = open_lake(lake, asked.cluster)
    cluster = read_cluster(p.objects(opened, kube, asked.cluster))
    return Surroundings(cluster.endpoints, opened, cluster_history(opened, cluster, asked), cluster.reading)
