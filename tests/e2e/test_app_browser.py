"""The app as a user has it: a browser, every page, a click on the graph."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import networkx as nx
import pytest
from playwright.sync_api import Browser, Locator, expect

from analysis.graph import service_graph, without
from analysis.questions import ask
from store.lake import Lake
from tests.support.browser import PROBES, STOPPED_S, Watched, app, app_process, chromium, free_port
from tests.support.lake import HOSTILE, make_lake
from viz.filters import LEFT_OUT, LEFT_OUT_AT_FIRST
from viz.graph.drawing import edge_id, node_id
from viz.humane import number, of

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
def sample_address(sample_lake: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with app(sample_lake, tmp_path_factory.mktemp("app")) as started:
        yield started


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("app")
    make_lake(folder / "lake")
    with app(folder / "lake", folder) as started:
        yield started


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def watched(scheme: str, browser: Browser, address: str) -> Iterator[Watched]:
    with watching(browser, address, scheme) as view:
        yield view


@pytest.fixture
def sampled(scheme: str, browser: Browser, sample_address: str) -> Iterator[Watched]:
    with watching(browser, sample_address, scheme) as view:
        yield view


@contextmanager
def watching(browser: Browser, address: str, scheme: str) -> Iterator[Watched]:
    view = Watched(browser, address, scheme)
    view.page.set_default_timeout(DEADLINE_MS)
    yield view
    view.page.close()


def graph(watched: Watched) -> Locator:
    """The drawn graph, reached as a user does: through the sidebar."""
    watched.page.goto(watched.address)
    watched.page.get_by_role("link", name="Service graph").click()
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


def frame_rows(watched: Watched) -> Locator:
    """The table below the graph in the tab that is open; it counts its heading as a row."""
    return watched.page.get_by_role("tabpanel").locator("[aria-rowcount]")


def drawn(lake: Path) -> nx.MultiDiGraph:
    """What the page shows before anything is chosen."""
    return without(service_graph(Lake.open(lake)), [LEFT_OUT[name] for name in LEFT_OUT_AT_FIRST])


def test_every_page_shows_its_question_and_calls_nobody(sampled: Watched) -> None:
    sampled.page.goto(sampled.address)
    for name, question in PAGES.items():
        sampled.page.get_by_role("link", name=name).click()
        expect(sampled.page.get_by_role("heading", name=question)).to_be_visible(timeout=DEADLINE_MS)
        expect(sampled.page.get_by_test_id("stDataFrame").first).to_be_visible(timeout=DEADLINE_MS)
        expect(sampled.page.get_by_test_id("stException")).to_have_count(0)
    assert sampled.faults == []


def test_click_on_an_edge_shows_its_connections(sampled: Watched, sample_lake: Path) -> None:
    edges = drawn(sample_lake).edges
    ends = ("pod/shop/Deployment/loader", "pod/shop/Deployment/frontend")
    ((key, data),) = ((key, edges[source, target, key]) for source, target, key in edges if (source, target) == ends)
    found = graph(sampled)
    click(sampled, found, edge_id(*ends, key))
    expect(sampled.page.get_by_role("heading", name="shop/loader → shop/frontend")).to_be_visible(timeout=DEADLINE_MS)
    expect(sampled.page.get_by_text(f"{of(data['connections'], 'connection')} ·")).to_be_visible()
    expect(sampled.page.get_by_role("tab", name=f"Connections ({number(data['connections'])})")).to_be_visible()
    expect(frame_rows(sampled)).to_have_attribute("aria-rowcount", str(data["connections"] + 1))
    assert found.evaluate("root => root.cy.$('.chosen').length") == 1
    assert sampled.faults == []


def test_click_on_a_node_shows_its_connections_and_names(sampled: Watched, sample_lake: Path) -> None:
    shown = drawn(sample_lake)
    node = "pod/shop/Deployment/api"
    connections = shown.degree(node, weight="connections")
    asked = ask(Lake.open(sample_lake), "graph/names", {"namespace": "shop", "name": "api"}).table
    click(sampled, graph(sampled), node_id(node))
    expect(sampled.page.get_by_role("heading", name="shop/api")).to_be_visible(timeout=DEADLINE_MS)
    expect(sampled.page.get_by_role("tab", name=f"Connections ({number(connections)})")).to_be_visible()
    expect(frame_rows(sampled)).to_have_attribute("aria-rowcount", str(connections + 1))
    sampled.page.get_by_role("tab", name=f"Names asked for ({asked.num_rows})").click()
    expect(frame_rows(sampled)).to_have_attribute("aria-rowcount", str(asked.num_rows + 1))
    assert sampled.faults == []


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
    watched.absent = PROBES
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
