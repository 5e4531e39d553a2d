from pathlib import Path

import pytest

from analysis.detect.detections import detect
from analysis.dns.finding import Severity
from tests.support.detected import detected
from tests.support.names import Row, make_names, pod, resolution

OTHER = pod("web", "10.244.1.12")


def used(domain: str, times: int = 60, first: int = 0, **more: object) -> list[Row]:
    return [resolution(first + number, f"api.{domain}", registered_domain=domain, **more) for number in range(times)]


def once(domain: str, **more: object) -> list[Row]:
    return used(domain, 1, 1000, client=OTHER, **more)


@pytest.mark.parametrize(
    "rare, often, likeness",
    [
        ("payment-gatway.example", "payment-gateway.example", "one character away from"),
        ("payment-gateaway.example", "payment-gateway.example", "one character away from"),
        ("payment-getaway.example", "payment-gateway.example", "two characters away from"),
        ("payrnent-gateway.example", "payment-gateway.example", "hard to tell by eye from"),
        ("harb0r.example", "harbor.example", "hard to tell by eye from"),
        ("vvharf.example", "wharf.example", "hard to tell by eye from"),
        ("paypa1.com", "paypal.com", "hard to tell by eye from"),
        ("xn--pypal-4ve.com", "paypal.com", "one character away from"),  # the first a is Cyrillic
    ],
)
def test_what_looks_like_a_domain_in_use(tmp_path: Path, rare: str, often: str, likeness: str) -> None:
    (finding,) = detected(tmp_path, "typosquat", used(often) + once(rare))
    assert finding.subject == f"{rare} ~ {often}"
    assert finding.says == (
        f"shop/web asked 1 time for api.{rare}; {rare} is {likeness} {often}, which is asked for 60 times. "
        "It leads somewhere, and 1 connection went there."
    )
    assert finding.severity is (Severity.CRITICAL if likeness.startswith("hard") else Severity.WARNING)


def test_a_slip_that_leads_nowhere(tmp_path: Path) -> None:
    slip = once("harbour.example", outcome="nxdomain", rcode="NXDOMAIN", addresses=None, connections=None)
    (finding,) = detected(tmp_path, "typosquat", used("harbor.example") + slip)
    assert finding.severity is Severity.INFO
    assert finding.says.endswith("It was not answered with an address.")


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(used("github.com") + once("gitlab.com"), id="two other letters"),
        pytest.param(used("cleancdn.example") + once("cleand.example"), id="another end"),
        pytest.param(used("edge1.example") + once("edge2.example"), id="the next number"),
        pytest.param(used("acme.example") + once("acne.example"), id="short words"),
        pytest.param(used("harbor.example") + once("harbor.test"), id="another suffix"),
        pytest.param(used("harbor.example", 19) + once("harbour.example"), id="not often used"),
        pytest.param(used("harbor.example") + used("harbour.example", 4, 1000), id="both in use"),
        pytest.param(used("harbor.example", first=10) + used("harbour.example", 1, 0), id="the rare one came first"),
        pytest.param(
            used("harbor.example") + used("harb0r.example", 31, 1000), id="both in use, though they look alike"
        ),
        pytest.param(used("harbor.example", 4) + once("harb0r.example"), id="hardly used"),
        pytest.param(used("harbor.example") + once("harb0r.example", forwarded=True), id="asked for others"),
    ],
)
def test_domains_that_are_just_others(tmp_path: Path, rows: list[Row]) -> None:
    assert not detected(tmp_path, "typosquat", rows)


def test_what_looks_alike_need_be_neither_new_nor_so_rare(tmp_path: Path) -> None:
    rows = used("harbor.example", 12, 10) + used("harb0r.example", 6, 0, client=OTHER)
    (finding,) = detected(tmp_path, "typosquat", rows)
    assert finding.severity is Severity.CRITICAL


def test_filters_choose_who_asked_for_the_rare_one(tmp_path: Path) -> None:
    lake = make_names(tmp_path, resolutions=used("harbor.example") + once("harb0r.example"))
    assert detect(lake, {"namespace": "shop", "workload": "web"}, ["typosquat"]).findings
    assert not detect(lake, {"workload": "api"}, ["typosquat"]).findings
    assert not detect(lake, {}, ["typosquat"], frozenset({"harb0r.example"})).findings
