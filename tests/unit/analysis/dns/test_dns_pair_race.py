"""One of A and AAAA lost on one socket is a race; where other calls are lost half as often, it is loss."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from analysis.dns.doctor import examine
from analysis.dns.finding import Context, Finding, Severity
from tests.support.lake import HOSTILE
from tests.support.names import CLIENT, NOON, make_names, outside, pod, resolution

Row = dict[str, Any]
ALPINE = pod("worker", "10.244.2.31", node="node-2")
NAME = "orders.shop"
STALL_US = 5_002_000


def found(folder: Path, resolutions: list[Row], **chosen: str) -> Sequence[Finding]:
    return examine(make_names(folder, resolutions=resolutions), chosen, Context(), ["pair_race"]).findings


def calls(count: int, first: int = 0, name: str = NAME, client: Row = CLIENT, **more: Any) -> list[Row]:
    return [resolution(first + number, name, client, **more) for number in range(count)]


def raced(count: int, first: int = 1000, **more: Any) -> list[Row]:
    told = {"lost_of_pair": 1, "retries": 1, "queries": 3, "duration_us": STALL_US} | more
    return calls(count, first, **told)


def lost(count: int, **more: Any) -> list[Row]:
    return calls(count, 3000, **{"retries": 2, "queries": 4, "duration_us": STALL_US} | more)


def test_a_race_is_told_with_its_stalls(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, calls(30) + raced(10) + calls(7, 200, qtypes="A"))
    assert (finding.subject, finding.severity) == ("shop/api", Severity.CRITICAL)
    assert (finding.queries, finding.waited_us) == (10, 50_020_000)
    assert finding.says == (
        "10 of 40 calls for A and AAAA at once on node node-1 lost one query of the two and waited 5.0 s. "
        "Lost otherwise: 0 calls."
    )
    assert "single-request-reopen" in finding.fix
    assert finding.look == {"from_namespace": "shop", "from_workload": "api", "domain": "orders.shop*"}
    seen = (finding.evidence["first_seen"], finding.evidence["last_seen"])
    assert seen == (NOON + timedelta(seconds=100), NOON + timedelta(seconds=100.9))
    assert finding.evidence["singles"] == 7


def test_two_pairs_of_a_search_path_are_one_call(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, raced(3, lost_of_pair=2, duration_us=2 * STALL_US))
    assert finding.queries == 3
    assert finding.says.startswith("3 of 3 calls")


def test_one_that_is_never_answered_counts(tmp_path: Path) -> None:
    """The other half of the pair was answered at once: how long the resolver then waited is in no packet."""
    (finding,) = found(tmp_path, raced(2, unanswered=1, duration_us=900))
    assert (finding.queries, finding.waited_us) == (2, 0)
    assert "lost one query of the two. Lost" in finding.says


def test_every_client_is_told_of_its_own(tmp_path: Path) -> None:
    rows = raced(2) + raced(4, 3000, client=ALPINE) + raced(3, 4000, client=outside("203.0.113.9"))
    told = [(one.subject, one.queries) for one in found(tmp_path / "all", rows)]
    assert told == [("shop/worker", 4), ("203.0.113.9", 3), ("shop/api", 2)]
    chosen = found(tmp_path / "one", rows, namespace="shop", workload="api")
    assert [one.subject for one in chosen] == ["shop/api"]


def test_of_a_client_without_a_node_no_node_is_told(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, raced(3, client=outside("203.0.113.9")))
    assert finding.says.startswith("3 of 3 calls for A and AAAA at once lost one")
    assert finding.look["from_ip"] == "203.0.113.9"


def test_several_nodes_and_names_are_counted(tmp_path: Path) -> None:
    moved = pod("api", "10.244.2.11", node="node-2")
    (finding,) = found(tmp_path, raced(2) + raced(2, 2000, name="carts.shop", client=moved))
    assert "at once on 2 nodes lost one" in finding.says
    assert finding.look == {"from_namespace": "shop", "from_workload": "api"}


@pytest.mark.parametrize(
    "others",
    [lost(4), lost(4, qtypes="A"), lost(4, unanswered=2), lost(9, duration_us=900), lost(9, outcome="failed")],
    ids=["whole pairs", "singles", "unanswered", "a hasty client", "an upstream fails"],
)
def test_what_is_lost_otherwise_is_weighed(tmp_path: Path, others: list[Row]) -> None:
    (finding,) = found(tmp_path, raced(10) + others)
    assert finding.evidence["lost_otherwise"] == (4 if len(others) == 4 else 0)


@pytest.mark.parametrize(
    "rows",
    [
        raced(1),
        raced(10) + lost(5, qtypes="A"),
        raced(10) + lost(5),
        raced(10) + lost(5, outcome="unanswered", unanswered=2, duration_us=None, rcode=None),
        [row | {"forwarded": True} for row in raced(10)],
        lost(50),
        [],
    ],
    ids=["one packet", "singles too", "whole pairs too", "unanswered too", "a name server", "only others", "nothing"],
)
def test_silent_where_no_race_is(tmp_path: Path, rows: list[Row]) -> None:
    assert found(tmp_path, rows) == []


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_data(tmp_path: Path, name: str) -> None:
    (finding,) = found(tmp_path, raced(3, name=name))
    assert finding.evidence["example"] == name
