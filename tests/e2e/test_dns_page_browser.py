"""The page on names as a user has it: findings that open, a map that narrows the page, hostile names as text."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, expect

from analysis.dns.resolvers import resolver_map
from analysis.questions import Asking, ask
from store.lake import Lake
from tests.support.browser import DEADLINE_MS, PROBES, Watched, app, click, ready, watching
from tests.support.lake import HOSTILE
from tests.support.names import COREDNS, make_names, pod, transaction, unanswered
from viz.graph.drawing import edge_id, node_id
from viz.humane import number

pytestmark = pytest.mark.service

# A namespace and a workload are labels of Kubernetes; a lake may have been written by anybody.
WEB = pod(HOSTILE[0], "10.244.1.66", namespace=HOSTILE[2])


@pytest.fixture(scope="module")
def hostile_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("hostile")
    rows = [unanswered(n, HOSTILE[n % len(HOSTILE)], client=WEB, server=COREDNS) for n in range(20)]
    well = [transaction(n, f"n{n}.example", client=pod("web", "10.244.1.12")) for n in range(100, 300)]
    make_names(folder / "lake", dns=[*rows, *well])
    with app(folder / "lake", folder) as started:
        yield started


@pytest.fixture
def attacked(scheme: str, browser: Browser, hostile_address: str) -> Iterator[Watched]:
    with watching(browser, hostile_address, scheme) as view:
        yield view


def opened(watched: Watched, query: str = "") -> Locator:
    """The map of the page, once it and the findings are there."""
    watched.absent = PROBES
    watched.page.goto(f"{watched.address}/names?{query}")
    found = ready(watched)
    cards(watched).first.wait_for()
    return found


def cards(watched: Watched) -> Locator:
    return watched.page.locator(".st-key-findings").get_by_role("button")


def transactions(watched: Watched) -> Locator:
    return watched.page.get_by_test_id("stMetric").filter(has_text="Transactions").get_by_test_id("stMetricValue")


def test_a_click_on_a_finding_opens_its_evidence_and_fix(sampled: Watched) -> None:
    opened(sampled)
    assert cards(sampled).count() > 1
    detail = sampled.page.locator(".st-key-finding")
    last = cards(sampled).last
    subject = sampled.page.locator(".st-key-findings code").last.inner_text()
    last.click()
    expect(detail.locator("code").first).to_have_text(subject, timeout=DEADLINE_MS)
    for heading in ("What to change", "Evidence"):
        expect(detail.get_by_text(heading, exact=True)).to_be_visible()
    expect(detail.get_by_test_id("stDataFrame").last).to_be_attached()
    assert "finding=" in sampled.page.url
    assert sampled.faults == []


def test_a_click_on_the_map_narrows_the_page(sampled: Watched, sample_lake: Path) -> None:
    lake = Lake.open(sample_lake)
    graph = resolver_map(Asking(lake, {}), {})
    (client,) = [node for node, data in graph.nodes(data=True) if data["name"] == "fx-rates"]
    asked = (
        ask(lake, "pages/dns_time", {"namespace": "payments", "workload": "fx-rates"}).table["transactions"][0].as_py()
    )
    found = opened(sampled)
    click(sampled, found, node_id(client))
    expect(transactions(sampled)).to_have_text(number(asked), timeout=DEADLINE_MS)
    expect(sampled.page.locator(".st-key-focus code")).to_have_text("payments/fx-rates")
    assert "on=node" in sampled.page.url
    sampled.page.get_by_role("button", name="Show all").click()
    whole = ask(lake, "pages/dns_time").table["transactions"][0].as_py()
    expect(transactions(sampled)).to_have_text(number(whole), timeout=DEADLINE_MS)
    expect(sampled.page.locator(".st-key-focus code")).to_have_count(0)
    assert sampled.faults == []


def test_an_edge_of_the_map_is_in_the_address(sampled: Watched, sample_lake: Path) -> None:
    graph = resolver_map(Asking(Lake.open(sample_lake), {}), {})
    source, target, key, data = max(graph.edges(keys=True, data=True), key=lambda edge: edge[3]["unanswered"])
    opened(sampled, f"on={edge_id(source, target, key)}")
    expect(transactions(sampled)).to_have_text(number(data["transactions"]), timeout=DEADLINE_MS)
    assert ready(sampled).evaluate("root => root.cy.$('.chosen').length") == 1
    assert sampled.faults == []


def test_hostile_names_are_text_wherever_the_page_has_them(attacked: Watched) -> None:
    found = opened(attacked)
    expect(attacked.page.locator(".st-key-findings")).to_contain_text(HOSTILE[0], timeout=DEADLINE_MS)
    labels = found.evaluate("root => root.cy.nodes('.card').map(node => node.data('label'))")
    assert HOSTILE[0] in labels
    click(
        attacked,
        found,
        found.evaluate("root => root.cy.nodes('.card').filter(n => n.data('label')[0] === '<')[0].id()"),
    )
    expect(attacked.page.locator(".st-key-focus code")).to_contain_text(HOSTILE[0], timeout=DEADLINE_MS)
    assert attacked.page.locator("img[src='x']").count() == 0
    assert attacked.faults == []
