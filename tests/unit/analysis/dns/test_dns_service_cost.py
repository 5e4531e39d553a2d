"""What a Service's name costs each workload, however it is written."""

from pathlib import Path
from typing import Any

import pytest

from analysis.questions import ask
from store.lake import Lake
from tests.support.names import make_names, pod, resolution

SEARCHED = {
    "suffixes": ["shop.svc.cluster.local", "svc.cluster.local"],
    "answered_suffix": "svc.cluster.local",
    "queries": 4,
    "wasted_queries": 2,
    "wasted_us": 400,
}


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    rows = [resolution(i, "payments.payments", **SEARCHED) for i in range(3)]
    rows += [resolution(10, "payments.payments.svc.cluster.local"), resolution(11, "gateway.bank.example")]
    rows += [resolution(20 + i, "redis-0.redis.shop.svc.cluster.local") for i in range(2)]
    rows += [resolution(30, "_http._tcp.redis.shop.svc.cluster.local", pod("web", "10.244.1.12"))]
    rows += [resolution(40, "gone.payments", answered_suffix=None, outcome="nxdomain", duration_us=None)]
    return make_names(tmp_path / "lake", resolutions=rows)


def costs(lake: Lake, **parameters: Any) -> list[tuple[object, ...]]:
    columns = ("client_name", "service_namespace", "service", "names", "resolutions", "queries", "wasted_queries")
    return [tuple(row[name] for name in columns) for row in ask(lake, "dns/service_cost", parameters).table.to_pylist()]


def test_queries_of_a_service_by_workload(lake: Lake) -> None:
    assert costs(lake) == [
        ("api", "payments", "payments", 2, 4, 14, 6),
        ("api", "shop", "redis", 1, 2, 4, 0),
        ("web", "shop", "redis", 1, 1, 2, 0),
    ]


def test_of_one_service(lake: Lake) -> None:
    assert [row[0] for row in costs(lake, service_namespace="shop", service="redis")] == ["api", "web"]


def test_shares(lake: Lake) -> None:
    row = ask(lake, "dns/service_cost", {"service": "payments"}).table.to_pylist()[0]
    assert (row["queries_per_resolution"], row["wasted_share"]) == (3.5, 6 / 14)
    assert (row["waited_us"], row["wasted_us"], row["connections"]) == (4000, 1200, 4)
