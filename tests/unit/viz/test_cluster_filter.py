"""The filter for a cluster: only where a lake has several, and then it narrows every page."""

import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import viz
from store.lake import Lake
from tests.support.names import NOON, capture, make_names, transaction
from tests.support.two_clusters import EAST, LEGACY, MISSPELT, WEST, two_clusters
from viz.filters import Filters

MAIN = Path(viz.__file__).parent / "main.py"
TIMEOUT_S = 60
FILTERS = ["Namespace", "Workload"]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return two_clusters(tmp_path_factory.mktemp("both") / "lake")


def run(monkeypatch: pytest.MonkeyPatch, lake: Lake, page: str, *more: str, **query: str) -> AppTest:
    monkeypatch.setattr(sys, "argv", ["main.py", "--lake", str(lake.folder), *more])
    app = AppTest.from_file(str(MAIN), default_timeout=TIMEOUT_S)
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    app.switch_page(f"app_pages/{page}").run()
    assert not app.exception
    assert not app.error
    return app


def chosen(app: AppTest) -> list[str]:
    return [box.label for box in app.sidebar.selectbox if box.label != "Time"]


def subjects(app: AppTest) -> set[str]:
    return {text.value.strip("` ") for text in app.markdown if "shop/api →" in text.value or LEGACY in text.value}


def transactions(app: AppTest) -> str:
    (told,) = [metric.value for metric in app.metric if metric.label in ("Transactions", "DNS transactions")]
    return told


def test_it_is_offered_where_there_are_several(monkeypatch: pytest.MonkeyPatch, both: Lake, tmp_path: Path) -> None:
    assert chosen(run(monkeypatch, both, "overview.py")) == ["Cluster", *FILTERS]
    one = make_names(tmp_path, dns=[transaction(1, "a.example")], coverage=[capture("test")])
    assert chosen(run(monkeypatch, one, "overview.py")) == FILTERS
    app = run(monkeypatch, both, "overview.py", "--cluster", EAST)
    assert (chosen(app), transactions(app)) == (FILTERS, "1")


def test_it_narrows_the_figures_and_the_findings(monkeypatch: pytest.MonkeyPatch, both: Lake) -> None:
    app = run(monkeypatch, both, "names.py")
    assert subjects(app) == {f"cluster {EAST}: shop/api → {MISSPELT}", f"cluster {WEST}: {LEGACY}"}
    assert transactions(app) == "22"
    assert not app.sidebar.selectbox("cluster").value
    app.sidebar.selectbox("cluster").set_value(EAST).run()
    assert not app.exception
    assert (subjects(app), transactions(app)) == ({f"shop/api → {MISSPELT}"}, "1")


def test_it_is_kept_in_the_address(monkeypatch: pytest.MonkeyPatch, both: Lake) -> None:
    assert transactions(run(monkeypatch, both, "overview.py", cluster=WEST)) == "21"
    assert transactions(run(monkeypatch, both, "overview.py", cluster="eats")) == "22"


def test_what_tells_no_cluster_can_be_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    app = run(monkeypatch, two_clusters(tmp_path, east=None), "overview.py", cluster="(not told)")
    assert app.sidebar.selectbox("cluster").options == [WEST, "(not told)"]
    assert transactions(app) == "1"


def test_policy_is_made_for_one(monkeypatch: pytest.MonkeyPatch, both: Lake) -> None:
    app = run(monkeypatch, both, "policy.py")
    assert [button.label for button in app.button] == [f"` {EAST} `", f"` {WEST} `"]
    app.button[1].click().run()
    assert app.sidebar.selectbox("cluster").value == WEST
    assert "one namespace" in app.info[0].value


SPANS = {EAST: (NOON, NOON + timedelta(seconds=90)), WEST: (NOON + timedelta(hours=14), NOON + timedelta(hours=14.05))}


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Two clusters that were recorded at different times: 90 s of one, hours later 180 s of the other."""
    folder = tmp_path_factory.mktemp("apart")
    ends = [(cluster, time) for cluster, span in SPANS.items() for time in span]
    return make_names(
        folder / "lake",
        dns=[transaction(n, "a.example", cluster=name, start_time=time) for n, (name, time) in enumerate(ends)],
        coverage=[capture(name, from_time=span[0], until_time=span[1]) for name, span in SPANS.items()],
    )


def filters_of(app: AppTest) -> Filters:
    filters = app.session_state["filters"]
    assert isinstance(filters, Filters)
    return filters


def test_its_time_is_when_it_was_recorded(monkeypatch: pytest.MonkeyPatch, apart: Lake) -> None:
    app = run(monkeypatch, apart, "overview.py")
    assert (app.sidebar.selectbox("time").options[0], filters_of(app).bar_s) == ("all (14 h 3 min)", 900)
    given = run(monkeypatch, apart, "overview.py", "--cluster", WEST)
    app.sidebar.selectbox("cluster").set_value(WEST).run()
    for one in (app, given):
        assert one.caption[0].value == "2026-11-02 02:00:00 to 2026-11-02 02:03:00 UTC, 3 min"
        assert one.sidebar.selectbox("time").options[0] == "all (3 min)"
        assert (filters_of(one).span, filters_of(one).bar_s) == (SPANS[WEST], 5)


def test_nothing_is_compared_with_a_time_that_was_not_recorded_of_it(
    monkeypatch: pytest.MonkeyPatch, apart: Lake
) -> None:
    before: dict[str, tuple[datetime, datetime] | None] = {}
    for cluster in SPANS:
        app = run(monkeypatch, apart, "names.py", cluster=cluster)
        app.sidebar.selectbox("time").set_value("1min").run()
        assert filters_of(app).since == SPANS[cluster][1] - timedelta(minutes=1)
        before[cluster] = filters_of(app).before
    begin = SPANS[WEST][0]
    assert before == {EAST: None, WEST: (begin + timedelta(minutes=1), begin + timedelta(minutes=2))}


def test_a_time_between_is_forgotten_with_its_cluster(monkeypatch: pytest.MonkeyPatch, apart: Lake) -> None:
    app = run(monkeypatch, apart, "overview.py", cluster=EAST, time="between")
    first, last = SPANS[EAST]
    app.sidebar.slider("between").set_value((first, last - timedelta(seconds=30))).run()
    assert (filters_of(app).since, filters_of(app).until) == (first, last - timedelta(seconds=30))
    for cluster in (WEST, None, EAST):
        app.sidebar.selectbox("cluster").set_value(cluster).run()
        for _ in range(2):
            assert not app.exception
            filters = filters_of(app)
            first, last = filters.span or (None, None)
            assert last and (filters.since, filters.until) == (first, last + timedelta(microseconds=1))
            app.run()
