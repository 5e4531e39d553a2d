"""One of A and AAAA lost on one socket is a race; where whole pairs and single queries are lost as often, it is loss."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from analysis.dns.doctor import examine
from analysis.dns.finding import Context, Finding, Severity
from tests.support.lake import HOSTILE
from tests.support.names import make_names, pod, resolution

Row = dict[str, Any]
ALPINE = pod("worker", "10.244.2.31", node="node-2")


def found(folder: Path, resolutions: list[Row]) -> Sequence[Finding]:
    return examine(make_names(folder, resolutions=resolutions), {}, Context(), ["pair_race"]).findings


def calls(count: int, first: int = 0, name: str = "orders.shop", **more: Any) -> list[Row]:
    return [resolution(first + number, name, **more) for number in range(count)]


def raced(count: int, first: int = 1000, name: str = "orders.shop", **more: Any) -> list[Row]:
    return calls(count, first, name, **{"lost_of_pair": 1, "retries": 1, "queries": 3, "duration_us": 5_002_000} | more)


def single(count: int, first: int, **more: Any) -> list[Row]:
    return calls(count, first, qtypes="A", transactions=1, queries=1, **more)


def test_a_race_is_told_with_its_stalls(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, calls(90) + raced(10) + single(40, 2000))
    assert (finding.subject, finding.severity) == ("shop/api", Severity.CRITICAL)
    assert (finding.queries, finding.waited_us) == (10, 50_020_000)
    assert (
        "10 of 100 calls for A and AAAA (10 %) on node node-1 lost one query of the two, and waited 5.0 s."
        in finding.says
    )
    assert "0 whole pairs, 0 of 40 single queries" in finding.says
    assert "single-request-reopen" in finding.fix
    assert finding.look == {"from_namespace": "shop", "from_workload": "api"}


def test_a_call_that_never_ended_counts_until_its_last_query(tmp_path: Path) -> None:
    start = resolution(0, "orders.shop")["start_time"]
    given_up = {"outcome": "unanswered", "duration_us": None, "unanswered": 1, "start_time": start}
    rows = [row | {"end_time": start.replace(second=start.second + 5)} for row in raced(2, **given_up)]
    (finding,) = found(tmp_path, calls(10) + rows)
    assert finding.waited_us == 10_000_000


def test_every_client_is_told_of_its_own(tmp_path: Path) -> None:
    rows = calls(50) + raced(2) + calls(50, 3000, client=ALPINE) + raced(4, 4000, client=ALPINE)
    assert [(finding.subject, finding.queries) for finding in found(tmp_path, rows)] == [
        ("shop/worker", 4),
        ("shop/api", 2),
    ]


@pytest.mark.parametrize(
    "rows",
    [
        calls(100) + raced(1),
        calls(90) + raced(10) + single(90, 2000) + single(10, 3000, retries=1, duration_us=5_000_000),
        calls(80) + raced(10) + calls(10, 3000, unanswered=2, retries=2, outcome="unanswered", duration_us=None),
        calls(100) + raced(10, forwarded=True),
        [],
    ],
    ids=[
        "one packet",
        "single queries are lost as often",
        "whole pairs are lost as often",
        "a name server asks",
        "nothing",
    ],
)
def test_silent_where_no_race_is(tmp_path: Path, rows: list[Row]) -> None:
    assert found(tmp_path, rows) == []


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_data(tmp_path: Path, name: str) -> None:
    (finding,) = found(tmp_path, raced(3, name=name))
    assert finding.evidence["example"] == name
