from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from analysis.policy.history import History, Window, read_history
from analysis.policy.unseen import curve, estimate, told, unseen
from tests.support.history import endpoint, flow, make_history, outside, pod

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
WEB, API, DB = pod("web", "10.0.0.1"), pod("api", "10.0.0.2"), pod("db", "10.0.0.3")
WEB_2 = pod("web", "10.0.0.4", number=1)


def test_the_estimate_is_chao2() -> None:
    """By hand: 10 edges, 4 seen once, 2 twice, in 20 ticks: 19/20 × 4·3 / (2·3) = 1.9."""
    found = estimate([1, 1, 1, 1, 2, 2, 5, 6, 9, 20], 20)
    assert (found.seen, found.once) == (10, 4)
    assert found.edges == pytest.approx(1.9)
    assert found.least < found.edges < found.most
    assert found.least > 0
    assert found.chance == pytest.approx(4 / 48)


def test_edges_that_all_came_often_leave_nothing_unseen() -> None:
    found = estimate([7, 9, 20], 20)
    assert (found.edges, found.least, found.most, found.chance) == (0, 0, 0, 0)


def test_of_nothing_nothing_is_known() -> None:
    assert estimate([], 10).chance == 1.0


def surveyed(rarity: float | tuple[float, float]) -> tuple[float, float, float]:
    """How many edges 200 ticks missed, how many the estimate said, and how often its interval held: of 300 edges, 200 times."""
    random = np.random.default_rng(5)
    missed, said, held = 0, 0.0, 0
    for _ in range(200):
        chances = np.full(300, rarity) if isinstance(rarity, float) else random.beta(*rarity, 300)
        counts = random.binomial(200, chances)
        found = estimate(counts[counts > 0].tolist(), 200)
        unknown = int((counts == 0).sum())
        missed, said, held = missed + unknown, said + found.edges, held + (found.least <= unknown <= found.most)
    return missed / 200, said / 200, held / 200


def test_edges_that_are_equally_rare_are_estimated_right() -> None:
    missed, said, held = surveyed(0.01)
    assert said == pytest.approx(missed, rel=0.05)
    assert held > 0.9


def test_edges_of_which_some_hardly_ever_come_are_underestimated() -> None:
    missed, said, _ = surveyed((0.5, 20))
    assert 0.2 * missed < said < 0.6 * missed


def history(folder: Path, window: Window) -> History:
    """web → api every second from two pods, web → db once and at the end."""
    flows = [flow(second, WEB if second % 2 else WEB_2, API) for second in range(300)]
    lake = make_history(folder, [*flows, flow(280, WEB, DB, 5432, connection_id="db")])
    return read_history(lake, [endpoint(one) for one in (WEB, WEB_2, API, DB)], window)


def test_pods_of_one_workload_are_one_edge(tmp_path: Path) -> None:
    window = Window(NOON, NOON + timedelta(minutes=5))
    found = unseen(history(tmp_path, window).rows, window)
    assert (found.seen, found.once) == (2, 1)
    assert found.chance == pytest.approx(1 / 6)


def test_visitors_from_outside_are_one_edge(tmp_path: Path) -> None:
    """40 addresses that came once each say nothing of edges to come."""
    window = Window(NOON, NOON + timedelta(hours=24))
    flows = [flow(number * 1200, outside(f"203.0.113.{number}"), WEB, 443) for number in range(40)]
    named = flow(40, WEB, outside("198.51.100.1"), 443, dst_domain="a.example", domain_method="dns")
    rows = read_history(make_history(tmp_path, [*flows, named]), [endpoint(WEB)], window).rows
    found = unseen(rows, window)
    assert (found.seen, found.once) == (2, 1)
    assert sum(curve(rows, window).new) == 2
    assert "There addresses outside without a domain count as one" in list(told(rows, window))[1]


def test_a_connection_that_goes_on_is_seen_all_the_time(tmp_path: Path) -> None:
    """Minutes 0 to 10 and 31 to 59 of web → db, as of a pod the last to begin counts; 5 of api → db, 1 of web → api."""
    lasting = [
        flow(0, WEB, DB, 5432, end_time=NOON + timedelta(minutes=30)),
        flow(30, WEB_2, DB, 5432, end_time=NOON + timedelta(minutes=10)),
        flow(31 * 60, WEB, DB, 5432, end_time=NOON + timedelta(hours=2)),
        flow(5, API, DB, 5432, end_time=NOON + timedelta(minutes=4)),
        flow(9, WEB, API),
    ]
    window = Window(NOON, NOON + timedelta(hours=1))
    lake = make_history(tmp_path, lasting)
    rows = read_history(lake, [endpoint(one) for one in (WEB, WEB_2, API, DB)], window).rows
    found = unseen(rows, window)
    assert (found.seen, found.once) == (3, 1)
    assert found.chance == pytest.approx(1 / (40 + 5 + 1))


@pytest.mark.parametrize(
    "length, step, new",
    [
        (timedelta(minutes=5), "minute", [1, 0, 0, 0, 1]),
        (timedelta(hours=3), "hour", [2, 0, 0]),
        (timedelta(days=4), "day", [2, 0, 0, 0]),
    ],
)
def test_the_curve_counts_an_edge_when_it_first_came(
    tmp_path: Path, length: timedelta, step: str, new: list[int]
) -> None:
    window = Window(NOON, NOON + length)
    found = curve(history(tmp_path, window).rows, window)
    assert (found.step, list(found.new)) == (step, new)
    assert found.begins[0] == NOON


def test_what_is_unseen_is_told(tmp_path: Path) -> None:
    window = Window(NOON, NOON + timedelta(hours=3))
    short = Window(NOON, NOON + timedelta(minutes=5))
    rows = history(tmp_path, short).rows
    assert list(told(rows, short)) == [
        "The time is too short to estimate how many edges it did not show.",
        "New edges by minute: 1, 0, 0, 0, 1.",
    ]
    assert list(told(rows, window)) == [
        "Of 2 edges none came so rarely that more of its kind have to be expected.",
        "New edges by hour: 2, 0, 0.",
    ]


def test_rare_edges_say_that_there_are_more(tmp_path: Path) -> None:
    window = Window(NOON, NOON + timedelta(hours=3))
    flows = [flow(number * 600, WEB, API, 8000 + number) for number in range(6)]
    lake = make_history(tmp_path, flows)
    rows = read_history(lake, [endpoint(WEB), endpoint(API)], window).rows
    first, curve_ = told(rows, window)
    assert first.startswith("About 15 edges more exist that this time did not show (95 %: ")
    assert first.endswith("and 100.0% of the sightings were of an edge's only one.")
    assert curve_ == "New edges by hour: 6, 0, 0."
