"""Two clusters in one lake, with the same workload in both and other faults."""

from pathlib import Path
from typing import Any

from store.lake import Lake
from tests.support.kubernetes_objects import service
from tests.support.names import NOON, Row, capture, make_names, resolution, transaction

EAST, WEST = "east", "west"
# Asked for in both, and a Service's name spelt wrong in east alone.
MISSPELT = "paymets.payments"
# Fails in west alone.
LEGACY = "erp.legacy.example"
# Nearly a Service of both, asked for twice in each: of neither is it told, as it takes three times.
TWICE = "crat"

ABSENT = {"outcome": "nxdomain", "rcode": "NXDOMAIN", "answered_suffix": None, "addresses": None, "connections": None}


def two_clusters(folder: Path, east: str | None = EAST, west: str | None = WEST) -> Lake:
    """Each of shop/api; where the cluster is not told the name of one is None."""
    calls = [*_calls(0, east), *_calls(100, west)]
    well = [transaction(number, "cart.shop", cluster=cluster) for number, cluster in ((0, east), (100, west))]
    failing = [transaction(200 + number, LEGACY, cluster=west, rcode="SERVFAIL") for number in range(20)]
    services = [
        service("payments", "payments", "10.96.0.2", cluster=east),
        *(service("shop", "cart", "10.96.0.1", cluster=cluster) for cluster in (east, west)),
    ]
    return make_names(
        folder,
        dns=[*well, *failing],
        resolutions=calls,
        objects=services,
        coverage=[capture(east), capture(west, from_time=NOON, node="node-9")],
    )


def _calls(first: int, cluster: str | None) -> list[Row]:
    told: dict[str, Any] = {"cluster": cluster, **ABSENT}
    misspelt = [resolution(first + number, MISSPELT, **told) for number in range(5)]
    return misspelt + [resolution(first + 10 + number, TWICE, **told) for number in range(2)]
