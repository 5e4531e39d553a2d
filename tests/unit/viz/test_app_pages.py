"""Every page on a lake, on an empty lake, and on what is no lake."""

import sys
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import viz
from store.lake import Lake

VIZ = Path(viz.__file__).parent
PAGES = sorted(page.name for page in (VIZ / "app_pages").glob("*.py"))
TIMEOUT_S = 30


def run(monkeypatch: pytest.MonkeyPatch, lake: object, page: str, **query: str) -> AppTest:
    monkeypatch.setattr(sys, "argv", ["main.py", "--lake", str(lake)])
    app = AppTest.from_file(str(VIZ / "main.py"), default_timeout=TIMEOUT_S)
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    return app.switch_page(f"app_pages/{page}").run()


@pytest.mark.parametrize("page", PAGES)
def test_page_on_a_lake(monkeypatch: pytest.MonkeyPatch, lake: Lake, page: str) -> None:
    app = run(monkeypatch, lake.folder, page, namespace="shop")
    assert not app.exception
    assert not app.error
    assert app.title[0].value.endswith("?")
    assert len(app.dataframe) > 0
    assert all(len(frame.value) > 0 for frame in app.dataframe)


@pytest.mark.parametrize("page", PAGES)
def test_page_on_an_empty_lake(monkeypatch: pytest.MonkeyPatch, empty_lake: Lake, page: str) -> None:
    app = run(monkeypatch, empty_lake.folder, page)
    assert not app.exception
    assert not app.error
    assert len(app.info) == 1


@pytest.mark.parametrize("page", PAGES)
def test_page_on_a_folder_that_is_no_lake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, page: str) -> None:
    app = run(monkeypatch, tmp_path, page)
    assert not app.exception
    assert len(app.error) == 1
    assert "not a lake" in app.error[0].value


def test_without_a_lake_the_app_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["main.py"])
    app = AppTest.from_file(str(VIZ / "main.py"), default_timeout=TIMEOUT_S).run()
    assert "tailrace app --lake" in app.error[0].value


def test_a_namespace_narrows_every_page(monkeypatch: pytest.MonkeyPatch, lake: Lake) -> None:
    app = run(monkeypatch, lake.folder, "flows.py")
    everywhere = app.dataframe[0].value
    app.selectbox("namespace").set_value("monitoring").run()
    inside = app.dataframe[0].value
    assert len(inside) < len(everywhere)
    assert all(name.startswith("monitoring/") for name in inside["src"])


def test_what_the_url_asks_for_must_be_on_offer(monkeypatch: pytest.MonkeyPatch, lake: Lake) -> None:
    app = run(monkeypatch, lake.folder, "flows.py", namespace="'; drop table flows; --", time="1 year")
    assert not app.exception
    assert app.selectbox("namespace").value is None
    assert app.selectbox("time").value == "all"


def test_time_narrows_to_the_last_of_the_lake(monkeypatch: pytest.MonkeyPatch, lake: Lake) -> None:
    app = run(monkeypatch, lake.folder, "names.py")
    whole = asked(app)
    app.selectbox("time").set_value("1h").run()
    assert 0 < asked(app) < whole


def asked(app: AppTest) -> int:
    """By all clients of the table on the page DNS."""
    (clients,) = [frame.value for frame in app.dataframe if "over_tcp" in frame.value]
    return int(clients["transactions"].sum())


def test_no_file_of_viz_hides_a_package_of_ours() -> None:
    packages = {path.parent.name for path in VIZ.parent.glob("*/__init__.py")}
    assert not packages & {path.stem for path in VIZ.iterdir()}


def test_only_data_caches_and_only_viz_knows_streamlit() -> None:
    cachers = {path.name for path in VIZ.rglob("*.py") if "cache_data" in path.read_text()}
    assert cachers == {"data.py"}
    others = ("contract", "collector", "enricher", "store", "analysis", "cli")
    sources = [path for name in others for path in (VIZ.parent / name).rglob("*.py")]
    assert not [path for path in sources if "import streamlit" in path.read_text()]


def test_a_workload_narrows_the_graph_and_who_talks_most(monkeypatch: pytest.MonkeyPatch, lake: Lake) -> None:
    for page in ("service_graph.py", "overview.py"):
        edges = run(monkeypatch, lake.folder, page, workload="cart").dataframe[0].value
        assert len(edges) > 0
        assert all("shop/cart" in ends for ends in zip(edges["src_name"], edges["dst_name"], strict=True))
