"""What a replay says of what was not captured."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from analysis.policy.endpoints import Endpoint
from analysis.policy.recommend.cluster import Cluster
from analysis.policy.replay import Asked, Replay, replay
from analysis.policy.rules import Policies
from contract.errors import LakeError, QuestionError
from store.lake import Lake
from tests.support.history import NOON, endpoint, flow, make_history, node, pod

WEB, API = pod("web", "10.0.0.1"), pod("api", "10.0.0.2", node="node-2")
KNOWN = [endpoint(WEB), endpoint(API), endpoint(node("node-1")), endpoint(node("node-2"))]
DAY, MONTH, MOMENT = timedelta(days=1), timedelta(days=30), timedelta(microseconds=1)


def captured(on: str | None, since: datetime, until: datetime, **more: Any) -> dict[str, Any]:
    counts = ("dns_malformed", "evictions", "pending_overflows", "stream_overflows", "datagram_overflows")
    told = {"node": on, "source": "x.pcap", "from_time": since, "until_time": until, "packets": 10, "bytes": 1000}
    zeros = dict.fromkeys((*counts, "hello_overflows", "cut_packets"), 0)
    return {"cluster": "test", "discarded": []} | told | zeros | more


def cluster(known: list[Endpoint]) -> Cluster:
    return Cluster(endpoints=known, members=(), services=(), ranges=(), policies={})


def whole(on: str, **more: Any) -> dict[str, Any]:
    return captured(on, NOON, NOON + MONTH, **more)


def replayed(folder: Path, *coverage: dict[str, Any], known: list[Endpoint] = KNOWN, **flows: Any) -> Replay:
    seen = [flow(0, WEB, API, **flows), flow(1, WEB, API, start_time=NOON + MONTH - MOMENT)]
    lake = make_history(folder, seen, coverage=list(coverage))
    return replay(lake, Policies(()), cluster(known), Asked(NOON, NOON + MONTH))


def missed(folder: Path, *coverage: dict[str, Any]) -> list[str]:
    return list(replayed(folder, *coverage).summary[1:-1])


def test_nothing_is_said_of_what_was_captured_whole(tmp_path: Path) -> None:
    found = replayed(tmp_path, whole("node-1"), whole("node-2"))
    assert list(found.summary) == [
        "From 2026-11-01 12:00:00 UTC to 2026-12-01 12:00:00 UTC (30 d): 1 edge (2 connections) judged.",
        "Nothing that works would be denied.",
    ]


def test_a_lake_without_coverage(tmp_path: Path) -> None:
    assert missed(tmp_path) == ["Nothing says how much was captured: the lake has no coverage of this time."]


def test_a_node_without_a_capture(tmp_path: Path) -> None:
    (line,) = missed(tmp_path, whole("node-1"))
    assert line == "No capture of node-2: what its pods said among themselves was not seen."


def test_gaps_between_captures_and_at_the_ends(tmp_path: Path) -> None:
    days = ((1, 5), (4, 10), (12, 20), (20, 27))
    parts = [captured("node-1", NOON + first * DAY, NOON + last * DAY) for first, last in days]
    (line,) = missed(tmp_path, *parts, whole("node-2"))
    assert line == "node-1: the first 1 d were not captured, the last 3 d were not captured, 1 gap of 2 d in all."


def test_a_capture_inside_another_leaves_no_gap(tmp_path: Path) -> None:
    inside = captured("node-1", NOON + DAY, NOON + 2 * DAY)
    assert missed(tmp_path, whole("node-1"), inside, whole("node-2")) == []


@pytest.mark.parametrize(
    "counted, words",
    [
        ({"evictions": 1}, "1 flow record written early because the table was full"),
        ({"cut_packets": 1200}, "1,200 packets cut short, which hides names"),
        ({"kernel_drops": 5}, "5 packets lost by the kernel"),
        ({"sampled_ratio": 0.25}, "only 25.00% of the packets were taken"),
    ],
)
def test_what_was_lost_is_counted(tmp_path: Path, counted: dict[str, Any], words: str) -> None:
    assert missed(tmp_path, whole("node-1", **counted), whole("node-2")) == [f"node-1: {words}."]


def test_a_short_window_is_said(tmp_path: Path) -> None:
    """However long the time that was asked for is."""
    seen = [flow(0, WEB, API), flow(1, WEB, API, start_time=NOON + DAY - MOMENT)]
    lake = make_history(tmp_path, seen, coverage=[whole("node-1"), whole("node-2")])
    for asked in (Asked(NOON, NOON + DAY), Asked(NOON - MONTH, NOON + MONTH)):
        found = replay(lake, Policies(()), cluster(KNOWN), asked)
        assert found.summary[1] == "1 d is less than a week: what happens more rarely is not in it."


def test_ends_without_a_name_and_ambiguous_ones_are_said(tmp_path: Path) -> None:
    found = replayed(tmp_path, whole("node-1"), whole("node-2"), src_kind=None, src_pod=None, ambiguous=True)
    assert "Of 1 connection an end is ambiguous: several owners fit; the latest was taken." in found.summary
    unnamed = "An end of 1 edge (1 connection) has no name in the lake; only its address was judged, as one outside."
    assert unnamed in found.summary


def test_an_empty_lake_has_no_history(tmp_path: Path) -> None:
    with pytest.raises(LakeError, match="has no records"):
        replay(Lake.create(tmp_path), Policies(()), cluster(KNOWN), Asked())


def test_a_time_without_connections_proves_nothing(tmp_path: Path) -> None:
    lake = make_history(tmp_path, [flow(0, WEB, API)])
    words = (
        "nothing to judge: no connections from 2026-11-02T12:00:00Z to 2026-11-01T12:00:00Z; the lake has 2026-11-01"
    )
    with pytest.raises(QuestionError, match=words):
        replay(lake, Policies(()), cluster(KNOWN), Asked(since=NOON + DAY))
