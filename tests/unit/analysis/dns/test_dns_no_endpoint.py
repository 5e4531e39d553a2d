"""Services without a ready endpoint whose names are asked for; silent where somebody is there, or nobody knows."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from analysis.dns.doctor import examine
from analysis.dns.finding import Finding, Severity
from analysis.dns.services import read_context
from tests.support.kubernetes_objects import READ, endpoints, service
from tests.support.lake import HOSTILE
from tests.support.names import CLIENT, Row, make_names, pod, resolution

CART = "cart.shop.svc.cluster.local"
UNREADY = [service("shop", "cart", "10.96.0.1"), endpoints("shop", "cart", False, False)]
HEADLESS = [service("shop", "cart"), endpoints("shop", "cart")]
LATE = {"seen_time": READ + timedelta(hours=1)}


def asked(number: int, name: str = CART, client: Row = CLIENT, **more: Any) -> Row:
    told = {"addresses": ["10.96.0.1"], "connections": 2, "failed_connections": 2, "start_time": READ}
    return resolution(number, name, client, **told | {"end_time": READ} | more)


def found(folder: Path, rows: list[Row], objects: list[Row], name: str = "no_endpoint") -> list[Finding]:
    lake = make_names(folder, resolutions=rows, objects=objects)
    return list(examine(lake, {}, read_context(lake), [name]).findings)


def test_one_finding_of_the_service_whoever_asks(tmp_path: Path) -> None:
    other = pod("worker", "10.244.1.12", "batch")
    rows = [asked(0), asked(1), asked(2, "cart", answered_suffix="shop.svc.cluster.local"), asked(3, CART, other)]
    (finding,) = found(tmp_path, rows, UNREADY)
    assert (finding.severity, finding.subject) == (Severity.CRITICAL, "shop/cart")
    assert finding.says == (
        "shop/cart has 2 endpoints, of which none is ready. "
        "batch/worker, shop/api resolved it 4 times; of 8 connections that followed, 8 failed."
    )
    assert "readiness probe" in finding.fix and "kubernetes.io/service-name=cart" in finding.fix
    assert finding.effect == "8 connections would have found somebody to answer."
    assert finding.queries == 8


def test_a_headless_service_has_no_name_without_endpoints(tmp_path: Path) -> None:
    told = {"outcome": "nxdomain", "answered_suffix": None, "addresses": None, "connections": None}
    rows = [asked(number, "cart", **told | {"failed_connections": None}) for number in range(3)]
    (finding,) = found(tmp_path, rows, HEADLESS)
    assert finding.severity is Severity.CRITICAL
    assert finding.says == (
        "shop/cart has no endpoint: its selector finds no pod. shop/api asked for it 3 times, and got no address."
    )
    assert finding.fix.startswith("Compare the Service's selector")
    assert finding.effect == "3 calls would have got an address."


def test_a_name_that_nobody_connected_to_yet_is_a_warning(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, [asked(0, connections=0, failed_connections=0)], UNREADY)
    assert finding.severity is Severity.WARNING
    assert finding.says.endswith("resolved it 1 time; no connection to it was seen.")


def test_a_reading_of_another_time_is_said(tmp_path: Path) -> None:
    late = [service("shop", "cart", "10.96.0.1", **LATE), endpoints("shop", "cart", False, **LATE)]
    (finding,) = found(tmp_path, [asked(0)], late)
    assert "(as the cluster was read at 2026-11-01 13:00:05 UTC, not while the name was asked for)" in finding.says


@pytest.mark.parametrize(
    ("rows", "objects"),
    [
        pytest.param([asked(0)], [UNREADY[0], endpoints("shop", "cart", True, False)], id="one is ready"),
        pytest.param([asked(0)], UNREADY[:1], id="endpoints are not told"),
        pytest.param([asked(0)], [], id="no objects"),
        pytest.param([asked(0, "cart.partner.example")], UNREADY, id="a name outside"),
        pytest.param([asked(0, connections=2, failed_connections=0)], UNREADY, id="there was one then"),
        pytest.param(
            [asked(0, "crat", outcome="nxdomain", answered_suffix=None, connections=None, failed_connections=None)],
            UNREADY,
            id="another name",
        ),
        pytest.param(
            [asked(0, "x.cart", outcome="nxdomain", answered_suffix=None, connections=None, failed_connections=None)],
            UNREADY,
            id="a host of a Service that has none",
        ),
        pytest.param([], UNREADY, id="nobody asks"),
    ],
)
def test_silent(tmp_path: Path, rows: list[Row], objects: list[Row]) -> None:
    assert found(tmp_path, rows, objects) == []


def test_it_is_not_said_twice(tmp_path: Path) -> None:
    rows = [asked(number) for number in range(5)]
    assert found(tmp_path / "unready", rows, UNREADY, "refused") == []
    assert len(found(tmp_path / "unknown", rows, [], "refused")) == 1


def test_hostile_names_are_data(tmp_path: Path) -> None:
    rows = [asked(number, f"{text}.shop.svc.cluster.local") for number, text in enumerate(HOSTILE)]
    rows += [asked(9, f"{HOSTILE[0]}.{CART}", pod(HOSTILE[1], "10.244.1.12"))]
    (finding,) = found(tmp_path, rows, UNREADY)
    assert finding.evidence["clients"] == [f"shop/{HOSTILE[1]}"]
