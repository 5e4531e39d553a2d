"""The app as a user has it: a browser, every page, a click on the graph."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import networkx as nx
import pytest
from playwright.sync_api import Browser, Locator, expect

from analysis.graph import service_graph, without
from analysis.policy.dialects import read_policies
from analysis.questions import ask
from store.lake import Lake
from tests.support.browser import (
    DEADLINE_MS,
    PROBES,
    STOPPED_S,
    Watched,
    app,
    app_process,
    click,
    free_port,
    ready,
    watching,
)
from tests.support.lake import HOSTILE, make_lake
from viz.filters import LEFT_OUT, LEFT_OUT_AT_FIRST
from viz.graph.drawing import edge_id, node_id
from viz.humane import number, of

pytestmark = pytest.mark.service

PAGES = {
    "Overview": "What is going on?",
    "Service graph": "Who talks to whom?",
    "Flows": "Which connections were there?",
    "DNS": "Which names fail or are slow, and why?",
    "Policy": "What may be closed?",
}
# The CronJob catalog-sync asks it, too.
REDIS_FROM_API = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: redis, namespace: shop}
spec:
  podSelector: {matchLabels: {app.kubernetes.io/name: redis}}
  ingress:
    - from: [{podSelector: {matchLabels: {app.kubernetes.io/name: api}}}]
      ports: [{port: 6379}]
"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("app")
    make_lake(folder / "lake")
    with app(folder / "lake", folder) as started:
        yield started


@pytest.fixture
def watched(scheme: str, browser: Browser, address: str) -> Iterator[Watched]:
    with watching(browser, address, scheme) as view:
        yield view


def graph(watched: Watched) -> Locator:
    """The drawn graph, reached as a user does: through the sidebar."""
    watched.page.goto(watched.address)
    watched.page.get_by_role("link", name="Service graph").click()
    found = watched.page.locator(".tailrace-graph[data-ready=true]")
    found.wait_for()
    return found


def policy(watched: Watched, namespace: str) -> Locator:
    """The drawn graph of what is recommended for a namespace that is clicked."""
    watched.page.goto(watched.address)
    watched.page.get_by_role("link", name="Policy").click()
    watched.page.get_by_role("button", name=namespace, exact=True).click()
    return ready(watched)


def bring(watched: Watched, policies: Path) -> Locator:
    """Bring policies instead."""
    watched.page.get_by_role("radio", name="Your own").click()
    watched.page.locator("input[type=file]").set_input_files(policies)
    return ready(watched)


def metric(watched: Watched, name: str) -> Locator:
    return watched.page.get_by_test_id("stMetric").filter(has_text=name).get_by_test_id("stMetricValue")


def frame_rows(watched: Watched) -> Locator:
    """The table below the graph in the tab that is open; it counts its heading as a row."""
    return watched.page.get_by_role("tabpanel").locator("[aria-rowcount]")


def drawn(lake: Path) -> nx.MultiDiGraph:
    """What the page shows before anything is chosen."""
    return without(service_graph(Lake.open(lake)), [LEFT_OUT[name] for name in LEFT_OUT_AT_FIRST])


def test_every_page_shows_its_question_and_calls_nobody(sampled: Watched) -> None:
    sampled.page.goto(f"{sampled.address}/?namespace=shop")
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


def test_a_recommendation_says_why_and_leads_to_the_connections(sampled: Watched) -> None:
    found = policy(sampled, "shop")
    expect(metric(sampled, "Would be denied")).to_have_text("0", timeout=DEADLINE_MS)
    expect(sampled.page.get_by_text("•  Back-test, learned until")).to_be_visible()
    click(sampled, found, edge_id("pod/shop/Deployment/api", "pod/shop/StatefulSet/redis", "6/6379/allowed/"))
    expect(sampled.page.get_by_role("heading", name="shop/api → shop/redis")).to_be_visible(timeout=DEADLINE_MS)
    expect(sampled.page.get_by_text("Leaving: allowed by NetworkPolicy/shop/tailrace-api egress[")).to_be_visible()
    expect(sampled.page.get_by_text("Entering: allowed by NetworkPolicy/shop/tailrace-redis ingress[")).to_be_visible()
    with sampled.page.expect_popup() as opened:
        sampled.page.get_by_role("link", name="Its connections").click()
    expect(opened.value.get_by_text("67 found")).to_be_visible(timeout=DEADLINE_MS)
    assert sampled.faults == []


def test_an_attack_is_left_out_and_drawn_so(sampled: Watched) -> None:
    found = policy(sampled, "shop")
    attack = edge_id("pod/shop/Deployment/recommender", "external///169.254.169.254", "6/80/left-out/")
    look = "(root, id) => { const e = root.cy.getElementById(id); return [e.style('line-style'), e.style('target-arrow-shape')]; }"
    assert found.evaluate(look, attack) == ["dashed", "tee"]
    click(sampled, found, attack)
    expect(sampled.page.get_by_text("Because: the address of a cloud's metadata")).to_be_visible(timeout=DEADLINE_MS)
    sampled.page.get_by_role("tab", name="Left out (1)").click()
    expect(frame_rows(sampled)).to_have_attribute("aria-rowcount", "2")
    assert sampled.faults == []


def test_the_text_can_be_read_and_downloaded(sampled: Watched, tmp_path: Path) -> None:
    policy(sampled, "shop")
    sampled.page.get_by_role("tab", name="YAML").click()
    expect(sampled.page.get_by_test_id("stCode")).to_contain_text("tailrace-default-deny")
    with sampled.page.expect_download() as started:
        sampled.page.get_by_role("button", name="Download").click()
    started.value.save_as(tmp_path / "shop.yaml")
    assert started.value.suggested_filename == "shop.yaml"
    assert len(read_policies([str(tmp_path / "shop.yaml")]).sections) > 5
    assert sampled.faults == []


def test_a_forgotten_edge_of_policies_that_are_brought_is_drawn_as_denied(sampled: Watched, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(REDIS_FROM_API)
    policy(sampled, "shop")
    found = bring(sampled, file)
    expect(metric(sampled, "Would be denied")).to_have_text("1", timeout=DEADLINE_MS)
    denied = found.evaluate(
        "root => root.cy.edges().filter(e => e.data('state') === 'denied').map(e => e.data('note')[0])"
    )
    assert denied == ["shop/catalog-sync → shop/redis"]
    assert sampled.faults == []


def test_a_hostile_policy_is_one_line_of_text(sampled: Watched, tmp_path: Path) -> None:
    file = tmp_path / "<img src=x onerror=alert(1)>.yaml"
    file.write_text(f"apiVersion: v1\nkind: {json.dumps(HOSTILE[0] + HOSTILE[2])}\n")
    policy(sampled, "shop")
    sampled.page.get_by_role("radio", name="Your own").click()
    sampled.page.locator("input[type=file]").set_input_files(file)
    expect(sampled.page.get_by_test_id("stAlert")).to_contain_text("is no policy that is known", timeout=DEADLINE_MS)
    assert sampled.page.locator("img[src='x']").count() == 0
    assert sampled.faults == []


def test_hostile_labels_and_domains_are_text_on_the_page_of_policy(watched: Watched) -> None:
    found = policy(watched, "shop")
    click(watched, found, "node external///%3Cimg%20src%3Dx%20onerror%3Dalert%281%29%3E")
    expect(watched.page.get_by_role("heading", name=HOSTILE[0])).to_be_visible(timeout=DEADLINE_MS)
    for tab in ("YAML", "Edges"):
        watched.page.get_by_role("tab", name=tab).click()
    assert watched.page.locator("img[src='x']").count() == 0
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
