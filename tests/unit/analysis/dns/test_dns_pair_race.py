"""One of A and AAAA lost on one socket is a race; where whole pairs and single queries are lost as often, it is loss."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from analysis.dns.doctor import examine
from analysis.dns.finding import Context, Finding, Severity
from tests.support.lake import HOSTILE
from tests.support.names import CLIENT, make_names, pod, resolution, transaction, unanswered

Row = dict[str, Any]
ALPINE = pod("worker", "10.244.2.31", node="node-2")
NAME = "orders.shop.svc.cluster.local"


def found(folder: Path, dns: list[Row], calls: int = 40) -> Sequence[Finding]:
    resolutions = [resolution(number, NAME) for number in range(calls)]
    return examine(make_names(folder, dns=dns, resolutions=resolutions), {}, Context(), ["pair_race"]).findings


def pair(number: int, first: Row, second: Row, apart_us: int = 50, name: str = NAME, client: Row = CLIENT) -> list[Row]:
    """A and AAAA of one socket, the second so long after the first."""
    one = transaction(number, name, client=client, **first)
    start = one["start_time"] + timedelta(microseconds=apart_us)
    two = transaction(number, name, client=client, qtype="AAAA", start_time=start, **second)
    return [one, two | {"transaction_id": f"p{number:06d}"}]


LATE = {"attempts": 2, "latency_us": 5_002_000}
GONE = {key: unanswered(0, NAME)[key] for key in ("attempts", "outcome", "latency_us", "rcode", "response_time")}


def raced(count: int, first: int = 1000, **more: Any) -> list[Row]:
    return [row for number in range(count) for row in pair(first + number, {}, LATE, **more)]


def test_a_race_is_told_with_its_stalls(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, raced(10) + [transaction(n, NAME) for n in range(50)])
    assert (finding.subject, finding.severity) == ("shop/api", Severity.CRITICAL)
    assert (finding.queries, finding.waited_us) == (10, 50_020_000)
    assert finding.says == (
        "10 of 40 calls for A and AAAA at once on node node-1 lost one query of the two and waited 5.0 s. "
        "Lost otherwise: 0 queries."
    )
    assert "single-request-reopen" in finding.fix
    assert finding.look == {"from_namespace": "shop", "from_workload": "api", "domain": NAME}


def test_a_query_lost_before_it_was_seen_is_told_by_its_repeat(tmp_path: Path) -> None:
    """glibc repeats both: A has been answered, and the first AAAA that anybody sees comes five seconds later."""
    rows = [row for n in range(3) for row in pair(1000 + n, {"attempts": 2}, {}, apart_us=5_003_000)]
    (finding,) = found(tmp_path, rows)
    assert (finding.queries, finding.waited_us) == (3, 3 * 5_004_000)


def test_one_that_is_never_answered_counts(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, [row for n in range(2) for row in pair(1000 + n, {}, GONE)])
    assert (finding.queries, finding.waited_us) == (2, 0)
    assert "lost one query of the two. Lost" in finding.says


def test_every_client_is_told_of_its_own(tmp_path: Path) -> None:
    rows = raced(2) + raced(4, 3000, client=ALPINE)
    assert [(one.subject, one.queries) for one in found(tmp_path, rows)] == [("shop/worker", 4), ("shop/api", 2)]


@pytest.mark.parametrize(
    "rows",
    [
        raced(1),
        raced(10) + [transaction(3000 + n, NAME, **LATE) for n in range(5)],
        raced(10) + [row for n in range(3) for row in pair(3000 + n, LATE, LATE)],
        [row | {"forwarded": True} for row in raced(10)],
        [row for n in range(10) for row in pair(1000 + n, {"attempts": 2}, {})],
        [row for n in range(10) for row in pair(1000 + n, {}, {}, apart_us=5_003_000)],
        [],
    ],
    ids=[
        "one packet",
        "singles too",
        "whole pairs too",
        "a name server",
        "a hasty client",
        "a socket used again",
        "nothing",
    ],
)
def test_silent_where_no_race_is(tmp_path: Path, rows: list[Row]) -> None:
    assert found(tmp_path, rows) == []


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_data(tmp_path: Path, name: str) -> None:
    (finding,) = found(tmp_path, raced(3, name=name))
    assert finding.evidence["example"] == name
