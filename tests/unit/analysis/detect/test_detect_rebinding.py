from datetime import timedelta
from pathlib import Path

import pytest

from analysis.detect.detections import detect
from analysis.dns.finding import Severity
from contract.tables import TABLES
from tests.support.detected import detected
from tests.support.names import CLIENT, NOON, Row, make_names, pod, resolution

NAME = "7f.host.example"
OTHER = pod("web", "10.244.1.12")
PUBLIC = "198.51.100.7"


def led(*steps: tuple[int, list[str]], client: Row = CLIENT, name: str = NAME) -> list[Row]:
    """``steps``: seconds after noon, and where the name led."""
    return [
        resolution(
            at, name, client, start_time=NOON + timedelta(seconds=at), registered_domain="host.example", addresses=to
        )
        for at, to in steps
    ]


SERVICE = dict.fromkeys(TABLES["assignments"].schema.names) | {
    "cluster": "test",
    "ip": "10.96.0.7",
    "kind": "service",
    "uid": "u",
    "namespace": "shop",
    "name": "db",
    "workload_kind": "Service",
    "workload": "db",
    "labels": [],
    "host_network": False,
    "from_time": NOON - timedelta(hours=1),
}


def test_outside_and_two_seconds_later_inside(tmp_path: Path) -> None:
    (finding,) = detected(tmp_path, "rebinding", led((0, [PUBLIC]), (2, ["10.96.0.7"])), assignments=[SERVICE])
    assert finding.severity is Severity.CRITICAL
    assert finding.subject == f"shop/api → {NAME}"
    assert finding.says == (
        f"{NAME} led shop/api to 10.96.0.7 (private, an address of the cluster), and to {PUBLIC} outside as well; "
        "1 connection went there."
    )
    told = ("inside", "outside", "place", "of_cluster", "resolutions")
    assert [finding.evidence[name] for name in told] == ["10.96.0.7", PUBLIC, "private", True, 1]
    assert (finding.evidence["last_outside"], finding.evidence["first_inside"]) == (NOON, NOON + timedelta(seconds=2))


@pytest.mark.parametrize(
    "address, place",
    [
        ("10.0.0.1", "private"),
        ("172.16.0.1", "private"),
        ("172.31.255.1", "private"),
        ("192.168.1.1", "private"),
        ("fd00::1", "private"),
        ("100.64.0.1", "shared"),
        ("169.254.169.254", "link-local"),
        ("fe80::1", "link-local"),
        ("127.0.0.1", "loopback"),
        ("::1", "loopback"),
        ("172.32.0.1", None),
        ("172.15.0.1", None),
        ("100.128.0.1", None),
        ("127.0.0.2", None),
        ("0.0.0.0", None),
        ("fd::1", None),
        ("2001:db8::1", None),
        ("not an address", None),
    ],
)
def test_what_is_inside(tmp_path: Path, address: str, place: str | None) -> None:
    found = detected(tmp_path, "rebinding", led((0, [PUBLIC]), (2, [address])))
    assert [finding.evidence["place"] for finding in found] == [place] * (place is not None)


def test_both_in_one_answer(tmp_path: Path) -> None:
    (finding,) = detected(tmp_path, "rebinding", led((0, [PUBLIC, "10.0.0.5"])))
    assert finding.severity is Severity.CRITICAL


@pytest.mark.parametrize(
    "steps, severity",
    [
        ([(0, [PUBLIC]), (3 * 3600, ["10.0.0.5"])], Severity.WARNING),  # somebody moved a service
        ([(0, ["10.0.0.5"]), (3600, [PUBLIC])], Severity.WARNING),  # the other way round
        ([(0, ["127.0.0.1"])], Severity.WARNING),
        ([(0, ["10.96.0.7"])], Severity.WARNING),
    ],
)
def test_how_sure_it_is(tmp_path: Path, steps: list[tuple[int, list[str]]], severity: Severity) -> None:
    (finding,) = detected(tmp_path, "rebinding", led(*steps), assignments=[SERVICE])
    assert finding.severity is severity


@pytest.mark.parametrize(
    "inside, minutes, severity",
    [
        ("10.0.0.5", 40, Severity.WARNING),  # a zone with two views, all day
        ("10.0.0.5", 2, Severity.CRITICAL),  # both within the hour
        ("10.96.0.7", 40, Severity.CRITICAL),  # no view of a zone leads to a Service of this cluster
        ("169.254.169.254", 40, Severity.CRITICAL),
    ],
)
def test_a_name_that_leads_to_both_time_and_again(
    tmp_path: Path, inside: str, minutes: int, severity: Severity
) -> None:
    steps = [(60 * minutes * n, [inside if n % 2 else PUBLIC]) for n in range(20)]
    (finding,) = detected(tmp_path, "rebinding", led(*steps), assignments=[SERVICE])
    assert finding.severity is severity


def test_a_name_that_led_outside_all_day_and_then_inside(tmp_path: Path) -> None:
    steps = [(600 * n, [PUBLIC]) for n in range(60)] + [(36_000 + 5 * n, ["10.0.0.5"]) for n in range(9)]
    (finding,) = detected(tmp_path, "rebinding", led(*steps), assignments=[SERVICE])
    assert finding.severity is Severity.CRITICAL


def test_a_zone_of_the_inside_that_several_ask_for(tmp_path: Path) -> None:
    ours = led((0, ["10.96.0.7"]), (1, ["127.0.0.1"]))
    theirs = led((2, ["10.0.0.7"]), client=OTHER, name="b.host.example")
    assert len(detected(tmp_path / "one", "rebinding", ours, assignments=[SERVICE])) == 1
    assert not detected(tmp_path / "several", "rebinding", ours + theirs, assignments=[SERVICE])


def test_a_zone_that_leads_to_the_rest_of_the_company(tmp_path: Path) -> None:
    assert not detected(tmp_path, "rebinding", led((0, ["10.0.0.5"]), (1, ["192.168.0.6"])), assignments=[SERVICE])


def test_another_view_of_the_same_name_is_no_rebinding(tmp_path: Path) -> None:
    assert not detected(tmp_path, "rebinding", led((0, ["10.0.0.5"])) + led((1, [PUBLIC]), client=OTHER))


def test_names_of_the_cluster_and_of_the_machine(tmp_path: Path) -> None:
    own = resolution(1, "db.shop.svc.cluster.local", addresses=["10.96.0.7"])
    machine = resolution(2, "localhost.localdomain", registered_domain="localhost.localdomain", addresses=["127.0.0.1"])
    server = [row | {"forwarded": True} for row in led((0, [PUBLIC]), (2, ["10.96.0.7"]))]
    assert not detected(tmp_path, "rebinding", [own, machine, *server])


def test_filters_choose_the_client_and_not_the_zone(tmp_path: Path) -> None:
    rows = led((0, ["10.0.0.5"])) + led((2, ["10.0.0.7"]), client=OTHER, name="b.host.example")
    lake = make_names(tmp_path, resolutions=rows + led((4, [PUBLIC]), (5, ["10.0.0.8"]), name="c.host.example"))
    assert [f.evidence["asked"] for f in detect(lake, {"workload": "api"}, ["rebinding"]).findings] == [
        "c.host.example"
    ]
    assert not detect(lake, {"workload": "web"}, ["rebinding"]).findings
    assert not detect(lake, {}, ["rebinding"], frozenset({"host.example"})).findings
