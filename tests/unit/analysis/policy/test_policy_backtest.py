import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from analysis.policy.history import Window, window_of
from analysis.policy.recommend.backtest import backtest, told
from analysis.policy.recommend.cluster import Cluster, read_cluster
from analysis.policy.recommend.dialects import WRITERS, Dialect
from analysis.policy.recommend.proposal import propose
from analysis.policy.replay import Asked
from contract.errors import QuestionError
from store.lake import Lake
from tests.support.history import NOON, flow, make_history, pod

WEB, API, DB = pod("web", "10.0.0.1"), pod("api", "10.0.0.2"), pod("db", "10.0.0.3")
NAMESPACES = ["shop"]


def in_kubernetes(end: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"namespace": end["namespace"], "name": end["pod"], "labels": dict(end["labels"])},
        "spec": {"nodeName": end["node"]},
        "status": {"podIP": end["ip"]},
    }


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    file = tmp_path / "objects.json"
    file.write_text(json.dumps({"kind": "List", "items": [in_kubernetes(end) for end in (WEB, API, DB)]}))
    return read_cluster(file)


def lake_of(folder: Path, flows: list[dict[str, Any]]) -> Lake:
    return make_history(folder / "lake", flows)


def test_an_edge_that_came_late_would_have_been_denied(tmp_path: Path, cluster: Cluster) -> None:
    flows = [flow(second, WEB, API) for second in range(100)]
    lake = lake_of(tmp_path, [*flows, flow(95, WEB, DB, 5432, connection_id="late")])
    window = window_of(lake, None, None)
    assert window is not None
    found = backtest(lake, cluster, Asked(), window, NAMESPACES, WRITERS[Dialect.KUBERNETES])
    assert found is not None
    assert found.split == window.since + 0.8 * (window.until - window.since)
    assert (found.judged, len(found.denied)) == (2, 1)
    (late,) = found.denied
    assert (str(late.src), str(late.dst), late.port, late.connections) == ("shop/web-0", "shop/db-0", 5432, 1)
    first, edge = told(found)
    assert first.endswith("of 2 edges 1 would have been denied.")
    assert edge.startswith("  shop/web-0 → shop/db-0 TCP 5432: 1 connection")


def test_what_goes_on_as_before_would_not_have_been_denied(tmp_path: Path, cluster: Cluster) -> None:
    lake = lake_of(tmp_path, [flow(second, WEB, (API, DB)[second % 2]) for second in range(100)])
    window = window_of(lake, None, None)
    assert window is not None
    found = backtest(lake, cluster, Asked(), window, NAMESPACES, WRITERS[Dialect.KUBERNETES])
    assert found is not None and (found.judged, found.denied) == (2, ())
    assert next(told(found)).endswith("of 2 edges none would have been denied.")


def test_what_only_failed_at_first_is_learned_by_neither(tmp_path: Path, cluster: Cluster) -> None:
    """Answered since the split, refused before: the recommendation of then had left it out."""
    refused = [flow(second, WEB, DB, connection_state="REJ", dst_bytes=40) for second in range(80)]
    lake = lake_of(tmp_path, [*refused, *(flow(second, WEB, DB) for second in range(85, 100))])
    window = window_of(lake, None, None)
    assert window is not None
    found = backtest(lake, cluster, Asked(), window, NAMESPACES, WRITERS[Dialect.KUBERNETES])
    assert found is not None and [str(edge.dst) for edge in found.denied] == ["shop/db-0"]


def test_without_records_on_both_sides_there_is_no_back_test(tmp_path: Path, cluster: Cluster) -> None:
    lake = lake_of(tmp_path, [flow(0, WEB, API)])
    asked = Asked(NOON, NOON + timedelta(days=30))
    window = window_of(lake, asked.since, asked.until)
    assert window is not None
    found = backtest(lake, cluster, asked, window, NAMESPACES, WRITERS[Dialect.KUBERNETES])
    assert found is None
    assert list(told(found)) == [
        "Back-test: not possible, as the first 80 % of the time or the rest has nothing to learn from."
    ]


def test_a_rest_without_edges_of_the_namespace_is_no_success(tmp_path: Path, cluster: Cluster) -> None:
    flows = [flow(0, WEB, API), flow(99, pod("a", "10.0.1.1", "other"), pod("b", "10.0.1.2", "other"))]
    window = Window(NOON, NOON + timedelta(seconds=100))
    found = backtest(lake_of(tmp_path, flows), cluster, Asked(), window, NAMESPACES, WRITERS[Dialect.KUBERNETES])
    assert found is not None and found.judged == 0
    assert next(told(found)).endswith("replayed on the rest: the rest has no edge that could be judged.")


def test_what_else_is_wrong_is_not_called_a_lack_of_records(tmp_path: Path, cluster: Cluster) -> None:
    flows = [flow(second, WEB, API, cluster="test" if second < 90 else "other") for second in range(100)]
    window = Window(NOON, NOON + timedelta(seconds=100))
    with pytest.raises(QuestionError, match="several clusters"):
        backtest(lake_of(tmp_path, flows), cluster, Asked(), window, NAMESPACES, WRITERS[Dialect.KUBERNETES])


@pytest.mark.parametrize("dialect", list(WRITERS))
def test_the_doubts_stand_at_the_top(tmp_path: Path, cluster: Cluster, dialect: Dialect) -> None:
    flows = [flow(second, WEB, API) for second in range(100)]
    found = propose(lake_of(tmp_path, flows), cluster, Asked(), NAMESPACES, dialect)
    head = found.text.partition("---")[0].splitlines()
    told = (
        "less than a week",
        "Nothing says how much",
        "too short to estimate",
        "New edges by minute: 1, 0",
        "Back-test, learned until",
    )
    places = [next(place for place, line in enumerate(head) if words in line) for words in told]
    assert places == sorted(places)


def test_the_blast_radius_is_told_by_the_same_ports_before_and_after(tmp_path: Path, cluster: Cluster) -> None:
    found = propose(lake_of(tmp_path, [flow(0, WEB, API)]), cluster, Asked(), NAMESPACES, Dialect.KUBERNETES)
    (line,) = (line for line in found.found.words if line.startswith("Workload pairs"))
    pairs, by_port = line.split("; ")
    assert pairs == "Workload pairs that can talk: 6 of 6 before, 1 after"
    classes = int(by_port.removeprefix("by port (").partition(" ")[0])
    assert by_port.endswith(f": {6 * classes:,} before, 1 after.")
