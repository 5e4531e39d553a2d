"""The clusters of a lake, each of which is examined by itself."""

from datetime import datetime

from analysis.questions import TIMEOUT_S, ask
from store.lake import Lake
from store.views import UNTOLD


def clusters(lake: Lake, timeout_s: float = TIMEOUT_S) -> list[str]:
    """As the parameter ``cluster`` names them; ``UNTOLD`` for what was ingested without a name."""
    return [
        name_of(cluster) for cluster in ask(lake, "overview/clusters", {}, None, timeout_s).table["cluster"].to_pylist()
    ]


def span_of(lake: Lake, cluster: str | None, timeout_s: float = TIMEOUT_S) -> tuple[datetime, datetime] | None:
    """When the cluster was recorded; the time of all records where none is named, or no capture is known of it."""
    if cluster is not None:
        for row in ask(lake, "overview/clusters", {"cluster": cluster}, 1, timeout_s).table.to_pylist():
            return row["from_time"], row["until_time"]
    return lake.span()


def name_of(cluster: str | None) -> str:
    """Of a record's cluster."""
    return cluster or UNTOLD


def words(cluster: str) -> str:
    return f"cluster {cluster}" if cluster != UNTOLD else "cluster not told"
