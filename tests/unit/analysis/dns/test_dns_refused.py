"""Names whose connections are refused or not answered, with the state of these."""

from pathlib import Path
from typing import Any

import pytest

from analysis.dns.doctor import examine
from analysis.dns.finding import Context, Finding, Severity
from analysis.questions import ask
from store.lake import Lake
from tests.support.history import flow
from tests.support.lake import HOSTILE
from tests.support.names import CLIENT, Row, make_names, outside, pod, resolution

NAME = "cart.shop.svc.cluster.local"
CART = pod("cart", "10.244.1.20")


def tried(number: int, connections: int = 1, failed: int = 1, name: str = NAME, client: Row = CLIENT) -> Row:
    told = {"addresses": [CART["ip"]], "connections": connections, "failed_connections": failed}
    return resolution(number, name, client, **told)


def failing(number: int, state: str = "REJ", client: Row = CLIENT, **more: Any) -> Row:
    return flow(number, client, CART, 8080, connection_state=state, counted="alone", **more)


def findings(lake: Lake, **parameters: str) -> list[Finding]:
    return list(examine(lake, parameters, Context(), ["refused"]).findings)


def test_a_port_that_nobody_listens_on(tmp_path: Path) -> None:
    rows = [tried(number) for number in range(4)]
    lake = make_names(tmp_path, resolutions=rows, flows=[failing(number) for number in range(4)])
    (finding,) = findings(lake)
    assert (finding.severity, finding.subject) == (Severity.CRITICAL, NAME)
    assert (
        finding.says
        == f"{NAME} resolves, but of 4 connections of shop/api to its addresses 4 failed: refused, on port 8080."
    )
    assert finding.fix.startswith("Nothing listens there (such as 10.244.1.20)")
    assert (finding.queries, finding.evidence["refused"], finding.evidence["silent"]) == (8, 4, 0)


def test_packets_that_nobody_answers(tmp_path: Path) -> None:
    other, well = pod("worker", "10.244.1.12"), pod("web", "10.244.1.13")
    rows = [tried(number, 2) for number in range(4)] + [tried(4, client=other), tried(5, 2, 0, client=well)]
    flows = [failing(number, "S0") for number in range(4)] + [failing(4, "S0", other)]
    (finding,) = findings(make_names(tmp_path, resolutions=rows, flows=flows))
    assert (
        "of 9 connections of shop/api, shop/worker to its addresses 5 failed: not answered, on port 8080."
        in finding.says
    )
    assert finding.fix.startswith("Nobody answers there")


def test_one_client_of_many_that_are_well(tmp_path: Path) -> None:
    well = pod("web", "10.244.1.13")
    rows = [tried(number) for number in range(3)] + [tried(3, 90, 0, client=well)]
    flows = [failing(0), failing(1), failing(2, "S0")]
    (finding,) = findings(make_names(tmp_path, resolutions=rows, flows=flows))
    assert "of 3 connections of shop/api to its addresses 3 failed: 2 refused and 1 not answered" in finding.says


def test_many_clients_of_one_connection_each(tmp_path: Path) -> None:
    rows = [tried(number, client=pod(f"job-{number}", f"10.244.1.{30 + number}")) for number in range(3)]
    (finding,) = findings(make_names(tmp_path, resolutions=rows))
    assert finding.evidence["clients"] == ["shop/job-0", "shop/job-1", "shop/job-2"]


def test_a_connection_is_counted_once_and_others_of_the_client_not_at_all(tmp_path: Path) -> None:
    flows = [failing(number) for number in range(3)]
    flows += [failing(number, "S0", node="node-2", interface="eth0") | {"counted": "not"} for number in range(3)]
    flows += [
        flow(10 + number, CLIENT, outside("203.0.113.9"), connection_state="S0", counted="alone") for number in range(9)
    ]
    flows += [failing(30, "SF")]
    lake = make_names(tmp_path, resolutions=[tried(0, 4, 3)], flows=flows)
    (row,) = ask(lake, "dns/refused").table.to_pylist()
    assert [row[name] for name in ("connections", "failed_connections", "refused", "silent")] == [4, 3, 3, 0]


def test_states_that_no_flow_tells(tmp_path: Path) -> None:
    (finding,) = findings(make_names(tmp_path, resolutions=[tried(number) for number in range(3)]))
    assert finding.says == f"{NAME} resolves, but of 3 connections of shop/api to its addresses 3 failed."


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([tried(0), tried(1)], id="two of a rollout"),
        pytest.param([tried(number, 10, 1) for number in range(9)], id="one of ten"),
        pytest.param([tried(number, 1, 0) for number in range(9)], id="none"),
        pytest.param(
            [tried(number) | {"connections": None, "failed_connections": None} for number in range(9)], id="not known"
        ),
        pytest.param([], id="nothing"),
    ],
)
def test_silent(tmp_path: Path, rows: list[Row]) -> None:
    assert findings(make_names(tmp_path, resolutions=rows)) == []


def test_a_client_that_nobody_knows_is_its_address(tmp_path: Path) -> None:
    stranger = {"ip": "10.244.7.7"}
    lake = make_names(tmp_path, resolutions=[tried(number, client=stranger) for number in range(3)], flows=[failing(1)])
    (finding,) = findings(lake)
    assert finding.look["from_ip"] == "10.244.7.7"
    assert findings(lake, workload="api") == []


def test_hostile_names_are_data(tmp_path: Path) -> None:
    rows = [tried(10 * place + number, 1, 1, name) for place, name in enumerate(HOSTILE) for number in range(3)]
    assert sorted(one.subject for one in findings(make_names(tmp_path, resolutions=rows))) == sorted(HOSTILE)
