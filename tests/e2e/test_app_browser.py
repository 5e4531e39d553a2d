"""The app as a user has it: a browser, every page, a click on the graph."""

import signal
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.support.browser import STOPPED_S, Watched, app, app_process, chromium, free_port
from tests.support.lake import HOSTILE, make_lake

pytestmark = pytest.mark.service

PAGES = {
    "Overview": "What is going on?",
    "Service graph": "Who talks to whom?",
    "Flows": "Which connections were there?",
    "DNS": "Which names fail or are slow?",
}
DEADLINE_MS = 30_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("app")
    make_lake(folder / "lake")
    with app(folder / "lake", folder) as started:
        yield started


@pytest.fixture(params=["light", "dark"])
def watched(request: pytest.FixtureRequest, browser: Browser, address: str) -> Iterator[Watched]:
    view = Watched(browser, address, request.param)
    view.page.set_default_timeout(DEADLINE_MS)
    yield view
    view.page.close()


def graph(watched: Watched) -> Locator:
    watched.page.goto(f"{watched.address}/service_graph")
    found = watched.page.locator(".tailrace-graph[data-ready=true]")
    found.wait_for()
    return found


def click(watched: Watched, found: Locator, identifier: str) -> None:
    """Click where the graph draws the element: in the middle of a node, on the bend of an edge."""
    point = found.evaluate(
        "(root, id) => { const e = root.cy.getElementById(id);"
        " return e.isNode() ? e.renderedPosition() : e.renderedMidpoint(); }",
        identifier,
    )
    box = found.locator(".canvas").bounding_box()
    assert box
    watched.page.mouse.click(box["x"] + point["x"], box["y"] + point["y"])


def test_every_page_shows_its_question_and_calls_nobody(watched: Watched) -> None:
    watched.page.goto(watched.address)
    for name, question in PAGES.items():
        watched.page.get_by_role("link", name=name).click()
        expect(watched.page.get_by_role("heading", name=question)).to_be_visible(timeout=DEADLINE_MS)
        expect(watched.page.get_by_test_id("stDataFrame").first).to_be_visible(timeout=DEADLINE_MS)
        expect(watched.page.get_by_test_id("stException")).to_have_count(0)
    assert watched.faults == []


def test_click_on_a_node_shows_its_connections_and_names(watched: Watched) -> None:
    click(watched, graph(watched), "node pod/shop/Deployment/frontend")
    expect(watched.page.get_by_role("heading", name="shop/frontend")).to_be_visible(timeout=DEADLINE_MS)
    expect(watched.page.get_by_role("tab", name="Connections (")).to_be_visible()
    expect(watched.page.get_by_role("tab", name="Names asked for (")).to_be_visible()
    assert watched.faults == []


def test_click_on_an_edge_shows_its_connections(watched: Watched) -> None:
    found = graph(watched)
    click(watched, found, "edge pod/shop/Deployment/frontend pod/shop/Deployment/cart 6/7070")
    expect(watched.page.get_by_role("heading", name="shop/frontend → shop/cart")).to_be_visible(timeout=DEADLINE_MS)
    assert found.evaluate("root => root.cy.$('.chosen').length") == 1
    assert watched.faults == []


def test_a_hostile_name_is_text(watched: Watched) -> None:
    click(watched, graph(watched), "node external///%3Cimg%20src%3Dx%20onerror%3Dalert%281%29%3E")
    expect(watched.page.get_by_role("heading", name=HOSTILE[0])).to_be_visible(timeout=DEADLINE_MS)
    assert watched.page.locator("img[src='x']").count() == 0
    assert watched.faults == []


def test_the_theme_reaches_the_graph(watched: Watched) -> None:
    paper = graph(watched).evaluate("root => getComputedStyle(root).backgroundColor")
    dark = watched.page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    channels = [int(part) for part in paper.removeprefix("rgb(").removesuffix(")").split(",")]
    assert (sum(channels) < 3 * 128) == dark


def test_a_filter_is_in_the_address_and_on_every_page(watched: Watched) -> None:
    watched.page.goto(f"{watched.address}/flows?namespace=payments&state=failed")
    namespace = watched.page.get_by_role("combobox", name="Namespace")
    expect(namespace).to_have_value("payments", timeout=DEADLINE_MS)
    watched.page.get_by_role("link", name="DNS").click()
    expect(watched.page.get_by_role("heading", name=PAGES["DNS"])).to_be_visible(timeout=DEADLINE_MS)
    assert "namespace=payments" in watched.page.url
    assert "state=" not in watched.page.url
    assert watched.faults == []


def test_ctrl_c_stops_the_app(tmp_path: Path) -> None:
    make_lake(tmp_path / "lake", connections=5)
    with app_process(tmp_path / "lake", tmp_path, free_port()) as (process, address):
        with urlopen(address) as answer:
            assert answer.status == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(STOPPED_S) == 0
    log = (tmp_path / "app.log").read_text()
    assert log.startswith(f"Tailrace: {address}")
    assert "Traceback" not in log
