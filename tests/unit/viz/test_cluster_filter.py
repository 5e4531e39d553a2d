"""The filter for a cluster: only where a lake has several, and then it narrows every page."""

import sys
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import viz
from store.lake import Lake
from tests.support.names import capture, make_names, transaction
from tests.support.two_clusters import EAST, LEGACY, MISSPELT, WEST, two_clusters

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
