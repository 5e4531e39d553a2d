from pathlib import Path

import pytest

from analysis.detect.detections import detect
from tests.support.detected import detected
from tests.support.names import Row, make_names, pod, resolution

NAME = "login.wallet.example"
OTHER = pod("web", "10.244.1.12")


def answered(addresses: list[list[str]], name: str = NAME, domain: str = "wallet.example", ttl: int = 60) -> list[Row]:
    return [
        resolution(number, name, registered_domain=domain, addresses=each, ttl=ttl)
        for number, each in enumerate(addresses)
    ]


# Two a time, each in a part of the address space of its own.
SPREAD = [[f"{number}.{number}.0.1", f"{number + 100}.7.0.1"] for number in range(20, 30)]


def test_ever_other_addresses_all_over_the_internet(tmp_path: Path) -> None:
    rows = answered(SPREAD)
    rows[3] |= {f"client_{name}": value for name, value in OTHER.items()}
    (finding,) = detected(tmp_path, "fast_flux", rows)
    figures = (
        "asked",
        "addresses",
        "networks",
        "octets",
        "ttl",
        "resolutions",
        "connections",
        "client",
        "other_client",
    )
    assert [finding.evidence[name] for name in figures] == [NAME, 20, 20, 20, 60, 10, 10, "shop/api", "shop/web"]
    assert finding.subject == NAME
    assert "shop/api and others got 20 addresses for it in 10 resolutions, with a TTL of at most 60 s" in finding.says


def test_addresses_of_ipv6(tmp_path: Path) -> None:
    spread = [[f"2{number:03x}:{number}::1"] for number in range(12)]
    (finding,) = detected(tmp_path, "fast_flux", answered(spread))
    assert (finding.evidence["addresses"], finding.evidence["octets"]) == (12, 12)


CDN = [[f"{octet}.{number}.0.{last}" for last in range(4)] for number in range(10) for octet in (13, 18, 52, 99)]
CLOUD = [[f"{octet}.{number}.5.1"] for number in range(6) for octet in (3, 13, 15, 18, 34, 35, 44, 50, 52, 54)]
PODS = [[f"10.244.{number}.{last}" for last in range(5)] for number in range(20)]


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(answered(CDN), id="a CDN: many addresses in few networks"),
        pytest.param(answered(CLOUD), id="a load balancer in a cloud of ten parts of the address space"),
        pytest.param(answered(PODS), id="private addresses"),
        pytest.param(answered(SPREAD, ttl=3600), id="a TTL that hides nothing"),
        pytest.param(answered(SPREAD[:4]), id="a few"),
        pytest.param(answered(SPREAD, "0.debian.pool.ntp.org", "ntp.org"), id="a known pool"),
        pytest.param([row | {"forwarded": True} for row in answered(SPREAD)], id="what a name server asks for others"),
        pytest.param(answered(SPREAD, "db.data.svc.cluster.local", None), id="a headless Service"),  # type: ignore[arg-type]
        pytest.param(answered([[] for _ in range(20)]), id="no addresses"),
    ],
)
def test_names_that_stay_where_they_are(tmp_path: Path, rows: list[Row]) -> None:
    assert not detected(tmp_path, "fast_flux", rows)


def test_a_pool_is_told_apart_by_its_name_alone(tmp_path: Path) -> None:
    lake = make_names(tmp_path, resolutions=answered(SPREAD, "0.debian.pool.ntp.org", "ntp.org"))
    (finding,) = detect(lake, {}, ["fast_flux"], frozenset()).findings
    assert finding.subject == "0.debian.pool.ntp.org"
