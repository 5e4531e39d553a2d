"""Names that are resolved and never connected to; a connection known by whatever way is one."""

from pathlib import Path

import pytest

from analysis.dns.doctor import examine
from analysis.dns.finding import Context, Finding, Severity
from store.lake import Lake
from tests.support.history import flow
from tests.support.lake import HOSTILE
from tests.support.names import CLIENT, COREDNS, Row, make_names, outside, pod, resolution

NAME = "metrics.ops.svc.cluster.local"
METRICS = pod("metrics", "10.96.0.9", "ops")


def unused(number: int, name: str = NAME, client: Row = CLIENT, **more: object) -> Row:
    told = {"addresses": [METRICS["ip"], f"10.96.1.{number}"], "connections": 0}
    return resolution(number, name, client, **told | more)


def findings(lake: Lake) -> list[Finding]:
    return list(examine(lake, {}, Context(), ["never_connected"]).findings)


def test_resolved_again_and_again(tmp_path: Path) -> None:
    other = flow(1, pod("worker", "10.244.1.12"), METRICS)
    elsewhere = flow(2, CLIENT, outside("203.0.113.9"))
    (finding,) = findings(make_names(tmp_path, resolutions=[unused(n) for n in range(12)], flows=[other, elsewhere]))
    assert (finding.severity, finding.subject) == (Severity.INFO, f"shop/api → {NAME}")
    assert finding.says == (
        f"shop/api resolved {NAME} 12 times in 1.1 s, "
        "and no connection of it to any of the addresses was seen, whenever opened."
    )
    assert (finding.queries, finding.waited_us) == (24, 0)
    assert finding.effect == "Without it 24 queries would not have been sent."


def test_what_follows_the_last_resolutions_need_not_be_known(tmp_path: Path) -> None:
    rows = [unused(number, connections=None if number > 9 else 0) for number in range(15)]
    (finding,) = findings(make_names(tmp_path, resolutions=rows))
    assert finding.says.startswith(f"shop/api resolved {NAME} 15 times")


@pytest.mark.parametrize(
    "reached",
    [
        pytest.param(flow(0, CLIENT, METRICS), id="an address of the name"),
        pytest.param(flow(0, CLIENT, pod("x", "10.96.1.7")), id="an address that one answer had"),
        pytest.param(flow(0, CLIENT, pod("x", "10.244.9.9"), backend_ip="10.96.0.9"), id="the pod behind"),
        pytest.param(
            flow(0, CLIENT, pod("x", "10.244.9.9"), service="metrics", service_namespace="ops"),
            id="the Service by its pod",
        ),
        pytest.param(flow(0, CLIENT, outside("203.0.113.9"), dst_domain=NAME), id="the name"),
    ],
)
def test_a_connection_by_any_way_silences_it(tmp_path: Path, reached: Row) -> None:
    rows = [unused(number) for number in range(12)]
    assert len(findings(make_names(tmp_path / "without", resolutions=rows))) == 1
    assert findings(make_names(tmp_path / "with", resolutions=rows, flows=[reached])) == []


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([unused(number) for number in range(9)], id="nine times"),
        pytest.param([*(unused(number) for number in range(12)), unused(12, connections=1)], id="connected to once"),
        pytest.param(
            [unused(number, connections=None if number > 8 else 0) for number in range(99)], id="known of nine"
        ),
        pytest.param([unused(number, outcome="no_data", connections=None) for number in range(12)], id="no address"),
        pytest.param([unused(number, client=COREDNS) for number in range(12)], id="a name server asks for others"),
        pytest.param([], id="nothing"),
    ],
)
def test_silent(tmp_path: Path, rows: list[Row]) -> None:
    assert findings(make_names(tmp_path, resolutions=rows)) == []


def test_hostile_names_are_data(tmp_path: Path) -> None:
    rows = [unused(20 * place + n, name) for place, name in enumerate(HOSTILE) for n in range(10)]
    found = findings(make_names(tmp_path, resolutions=rows))
    assert sorted(one.subject for one in found) == sorted(f"shop/api → {name}" for name in HOSTILE)
