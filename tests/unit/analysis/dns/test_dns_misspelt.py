"""Names of Services spelt wrong: found with their figures, and nothing said where nothing is wrong or nobody can tell."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from analysis.dns.doctor import examine
from analysis.dns.finding import Finding, Severity
from analysis.dns.services import read_context
from tests.support.kubernetes_objects import READ, service
from tests.support.lake import HOSTILE
from tests.support.names import CLIENT, COREDNS, Row, make_names, pod, resolution

SERVICES = [service("shop", "cart", "10.96.0.1"), service("payments", "payments", "10.96.0.2")]
SEARCHED = ["shop.svc.cluster.local", "svc.cluster.local", "cluster.local", "."]


def absent(number: int, asked: str, client: Row = CLIENT, **more: Any) -> Row:
    """Not under any suffix, eight queries in 4 ms."""
    told = {"outcome": "nxdomain", "rcode": "NXDOMAIN", "answered_suffix": None, "suffixes": SEARCHED}
    told |= {"transactions": 8, "queries": 8, "wasted_queries": 6, "addresses": None, "connections": None}
    start = more.pop("start_time", resolution(number, asked)["start_time"])
    return resolution(number, asked, client, **told | {"end_time": start + timedelta(milliseconds=4)} | more)


def found(folder: Path, rows: list[Row], objects: list[Row] = SERVICES) -> list[Finding]:
    lake = make_names(folder, resolutions=rows, objects=objects)
    return list(examine(lake, {}, read_context(lake), ["misspelt"]).findings)


def test_a_name_that_is_nearly_a_service(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, [absent(number, "paymets.payments") for number in range(5)])
    assert (finding.severity, finding.subject) == (Severity.CRITICAL, "shop/api → paymets.payments")
    assert finding.says == (
        "shop/api asked for paymets.payments 5 times, by 40 queries, in vain. "
        "It does not exist; nearest is the Service payments/payments."
    )
    assert finding.fix == "Write payments.payments where shop/api has paymets.payments."
    assert finding.effect == "5 calls would have got an answer."
    assert (finding.queries, finding.waited_us) == (40, 20_000)
    assert finding.look == {"from_namespace": "shop", "from_workload": "api", "domain": "paymets.payments*"}


def test_the_right_service_without_its_namespace(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, [absent(number, "payments") for number in range(3)])
    assert finding.says.endswith("It does not exist; a Service payments is in the namespace payments.")
    assert finding.fix == "Write payments.payments where shop/api has payments."


def test_a_namespace_that_nobody_has_is_a_warning(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, [absent(number, "cart.corp") for number in range(3)])
    assert finding.severity is Severity.WARNING
    assert (
        finding.fix
        == "Write cart.shop, if it is meant and not a name outside the cluster, where shop/api has cart.corp."
    )


def test_a_service_that_was_there_before(tmp_path: Path) -> None:
    earlier = READ - timedelta(days=1)
    objects = [*SERVICES, *(service("shop", name, seen_time=earlier) for name in ("cart", "basket"))]
    (finding,) = found(tmp_path, [absent(number, "basket.shop") for number in range(3)], objects)
    assert "It does not exist any more: the Service shop/basket was there" in finding.says
    assert "2026-10-31 12:00:05 UTC" in finding.says


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([absent(number, "paymets.payments") for number in range(2)], id="twice only"),
        pytest.param([absent(number, "gateway.partner.example") for number in range(9)], id="near to nothing"),
        pytest.param([resolution(number, "payments.payments") for number in range(9)], id="it answers"),
        pytest.param(
            [*(absent(number, "crat") for number in range(9)), resolution(9, "crat")], id="it answers sometimes"
        ),
        pytest.param([absent(number, "crat", COREDNS) for number in range(9)], id="a name server asks for others"),
        pytest.param(
            [absent(number, "cart") for number in range(9)], id="it is there: created since, or without endpoints"
        ),
        pytest.param([absent(number, "1.0.96.10.in-addr.arpa") for number in range(9)], id="an address"),
        pytest.param(
            [absent(number, "crat", outcome="unanswered", rcode=None) for number in range(9)], id="nobody said so"
        ),
        pytest.param([], id="nothing"),
    ],
)
def test_silent(tmp_path: Path, rows: list[Row]) -> None:
    assert found(tmp_path, rows) == []


def test_silent_without_services(tmp_path: Path) -> None:
    assert found(tmp_path, [absent(number, "paymets.payments") for number in range(5)], []) == []


def test_an_error_among_hundreds_of_other_names_is_found(tmp_path: Path) -> None:
    others = [absent(number, f"host-{number % 100}.partner.example") for number in range(500)]
    (finding,) = found(tmp_path, others + [absent(500 + number, "crat") for number in range(3)])
    assert finding.subject == "shop/api → crat"


def test_hostile_names_are_data(tmp_path: Path) -> None:
    rows = [
        absent(number, f"paymets.payments{text}", pod(text, "10.244.1.12")) for text in HOSTILE for number in range(5)
    ]
    names = [absent(900 + number, "crat", pod(HOSTILE[0], "10.244.1.13")) for number in range(3)]
    (finding,) = found(tmp_path, rows + names)
    assert finding.subject == f"shop/{HOSTILE[0]} → crat"
