"""The page on names: its figures, what the doctor finds and shows of it, the map and what is chosen on it."""

import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import networkx as nx
import pytest
from streamlit.testing.v1 import AppTest

import viz
from analysis.detect.detections import DETECTIONS, detect
from analysis.dns.doctor import DIAGNOSES, examine
from analysis.dns.examination import together
from analysis.dns.finding import Finding, Severity
from analysis.dns.judged import judged
from analysis.dns.resolvers import CLIENTS, OUTSIDE, SERVERS, resolver_map
from analysis.dns.services import read_context
from analysis.layers import place_in_layers
from analysis.questions import Asking, ask
from contract.errors import QuestionError
from store.lake import Lake
from tests.support.lake import HOSTILE
from tests.support.names import (
    COREDNS,
    NOON,
    UPSTREAM,
    make_names,
    outside,
    pod,
    resolution,
    transaction,
    unanswered,
)
from viz import data
from viz.dns.findings import identifier, parts
from viz.dns.resolvers import TRANSACTIONS
from viz.graph.drawing import chosen, drawing, edge_id, node_id

MAIN = Path(viz.__file__).parent / "main.py"
TIMEOUT_S = 60
API, DNS = "pod/shop/Deployment/api", "pod/kube-system/Pod/coredns-0"
FORWARDER = "external///203.0.113.53"
HOUR = timedelta(hours=1)

Row = dict[str, Any]


def lookups(first: int, **more: Any) -> list[Row]:
    """Ten of the client, of which three do not exist, one fails, and two are never answered."""
    codes = [*["NOERROR"] * 4, *["NXDOMAIN"] * 3, "SERVFAIL"]
    told = [transaction(first + n, f"n{n}.example", rcode=code, **more) for n, code in enumerate(codes)]
    return [*told, *(unanswered(first + n, f"n{n}.example", **more) for n in (8, 9))]


def make(folder: Path) -> Lake:
    """At noon what ``lookups`` says, with the queries behind it; an hour before the same without a failure."""
    before = [transaction(n + 100, "old.example", start_time=NOON - HOUR + timedelta(seconds=n)) for n in range(20)]
    upstream = [
        transaction(n + 50, f"n{n}.example", client=COREDNS, server=UPSTREAM, latency_us=9000) for n in range(4)
    ]
    web = [transaction(n + 200, HOSTILE[0], client=pod("web", "10.244.1.12"), answered_from="cache") for n in range(5)]
    calls = [
        resolution(n, "n.example", queries=8, wasted_queries=6, outcome="failed", duration_us=None) for n in range(5)
    ]
    return make_names(folder, dns=[*before, *lookups(0), *upstream, *web], resolutions=calls)


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return make(tmp_path_factory.mktemp("names") / "lake")


@pytest.fixture(scope="module")
def ill(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A zone that fails and a name that nobody answers, among what works."""
    well = [transaction(n, f"n{n % 7}.example", client=pod("web", "10.244.1.12")) for n in range(200)]
    failing = [transaction(n, "erp.legacy.example", rcode="SERVFAIL") for n in range(300, 320)]
    silent = [unanswered(n, "push.silent.example") for n in range(400, 420)]
    return make_names(tmp_path_factory.mktemp("ill") / "lake", dns=[*well, *failing, *silent])


def page(monkeypatch: pytest.MonkeyPatch, lake: Lake, **query: str) -> AppTest:
    monkeypatch.setattr(sys, "argv", ["main.py", "--lake", str(lake.folder)])
    app = AppTest.from_file(str(MAIN), default_timeout=TIMEOUT_S)
    app.run()
    for name, value in query.items():
        app.query_params[name] = value
    app.session_state["part"] = "Who asks?"
    app.switch_page("app_pages/names.py").run()
    assert not app.exception
    assert not app.error
    return app


def figures(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def address(app: AppTest, name: str) -> str:
    value = app.query_params[name]
    return value if isinstance(value, str) else value[0]


def table(app: AppTest, column: str) -> Any:
    """The one table with this column."""
    (found,) = [frame.value for frame in app.dataframe if column in frame.value]
    return found


def test_figures_are_those_of_the_clients(monkeypatch: pytest.MonkeyPatch, named: Lake) -> None:
    told = figures(page(monkeypatch, named))
    assert told["Transactions"] == "35"
    assert told["Answered"] == "82.9 %"
    assert told["NXDOMAIN"] == "8.6 %"
    assert told["Unanswered"] == "5.7 %"
    assert told["Wasted"] == "75 %"
    assert told["From cache"] == "100 %"
    assert told["Median"] in ("1 ms", "1.02 ms", "981 µs")


def test_figures_are_compared_with_the_time_before(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    hourly = [transaction(n, "a.example", start_time=NOON + n * timedelta(minutes=2)) for n in range(90)]
    late = [unanswered(900 + n, "b.example", start_time=NOON + timedelta(minutes=170 + n / 10)) for n in range(30)]
    app = page(monkeypatch, make_names(tmp_path / "lake", dns=hourly + late))
    assert {metric.delta for metric in app.metric} == {""}
    app.selectbox("time").set_value("1h").run()
    changes = {metric.label: metric.delta for metric in app.metric}
    assert changes["Transactions"] == "+100 %"
    assert changes["Unanswered"] == "+50.0 points"
    assert changes["Median"] == "as before"


def test_how_much_was_judged_and_by_what(monkeypatch: pytest.MonkeyPatch, ill: Lake) -> None:
    told = f"Looked at by {len(DIAGNOSES)} diagnoses and {len(DETECTIONS)} detections: {judged(ill, {})}."
    assert "240 transactions of 2 clients" in told
    assert told in [caption.value for caption in page(monkeypatch, ill).caption]


def test_what_cannot_be_compared_hides_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    rows = data.rows

    def answered(name: str, /, **parameters: Any) -> list[dict[str, Any]]:
        if parameters.get("until"):
            raise QuestionError("no answer within 20 s")
        return rows(name, **parameters)

    monkeypatch.setattr(data, "rows", answered)
    hourly = [transaction(n, "a.example", start_time=NOON + n * timedelta(minutes=2)) for n in range(90)]
    app = page(monkeypatch, make_names(tmp_path / "lake", dns=hourly))
    app.selectbox("time").set_value("1h").run()
    assert {metric.delta for metric in app.metric} == {"–"}
    assert all("no answer within 20 s" in metric.help for metric in app.metric)
    assert app.success


def test_a_client_that_the_doctor_does_not_know_is_not_found_to_be_well(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    rows = [transaction(n, "a.example", client=outside("198.51.100.9")) for n in range(9)]
    lake = make_names(tmp_path / "lake", dns=rows)
    graph = resolver_map(Asking(lake, {}), {})
    (client,) = (node for node, layer in graph.nodes(data="layer") if layer == CLIENTS)
    app = page(monkeypatch, lake, on=node_id(client))
    assert figures(app)["Transactions"] == "9"
    assert not app.success
    assert [info.value for info in app.info] == ["Nothing could be judged."]


def test_the_worst_finding_is_open_and_another_opens_by_a_click(monkeypatch: pytest.MonkeyPatch, ill: Lake) -> None:
    report = together(examine(ill, {}, read_context(ill)), detect(ill, {}))
    app = page(monkeypatch, ill)
    buttons = [button for button in app.button if button.key.startswith("finding ")]
    assert len(buttons) == len(report.findings) > 1
    for place, finding in enumerate(report.findings):
        [button for button in app.button if button.key.startswith("finding ")][place].click().run()
        assert address(app, "finding") == identifier(finding)
        shown = {True: [one.value for one in app.code], False: [one.value for one in app.text]}
        assert all(text in shown[copied] for copied, text in parts(finding.fix))
        assert len(table(app, "told")) > 0
        assert len(table(app, "asker")) == ask(ill, "dns/search", finding.look, 100).table.num_rows > 0


def test_a_finding_of_another_lake_opens_the_worst(monkeypatch: pytest.MonkeyPatch, ill: Lake) -> None:
    app = page(monkeypatch, ill, finding="<script>")
    assert len(table(app, "told")) > 0


@pytest.mark.parametrize(
    ("fix", "told"),
    [
        (
            "Ask it with `dig`, then put `dnsConfig: {}` under `spec`.",
            [(False, "Ask it with dig, then put"), (True, "dnsConfig: {}"), (False, "under spec.")],
        ),
        ("Write `bufsize 1232`, or `a b", [(False, "Write"), (True, "bufsize 1232"), (False, ", or `a b")]),
        ("Nothing.", [(False, "Nothing.")]),
    ],
)
def test_code_of_a_fix_is_shown_once(fix: str, told: list[tuple[bool, str]]) -> None:
    assert parts(fix) == told


def test_identifiers_are_short_and_differ() -> None:
    def finding(subject: str) -> Finding:
        return Finding("unanswered", Severity.INFO, subject, "", "", 0, 0, {})

    told = {identifier(finding(subject)) for subject in (*HOSTILE, "\ud800", "", "a")}
    assert len(told) == len(HOSTILE) + 3
    assert all(one.isalnum() and len(one) == 12 for one in told)


def test_the_map_runs_from_clients_to_servers_to_those_they_ask(named: Lake) -> None:
    graph = resolver_map(Asking(named, {}), {})
    assert {node: data["layer"] for node, data in graph.nodes(data=True)} == {
        API: CLIENTS,
        "pod/shop/Deployment/web": CLIENTS,
        DNS: SERVERS,
        FORWARDER: OUTSIDE,
    }
    (asked,) = graph.get_edge_data(API, DNS).values()
    assert (asked["transactions"], asked["failed"], asked["unanswered"], asked["nxdomain"]) == (30, 3, 2, 3)
    layout = place_in_layers(graph)
    assert layout.positions[API][0] < layout.positions[DNS][0] < layout.positions[FORWARDER][0]


def test_a_chosen_client_keeps_the_servers_it_asks_and_what_they_ask(named: Lake) -> None:
    assert set(resolver_map(Asking(named, {}), {"workload": "web"})) == {"pod/shop/Deployment/web", DNS, FORWARDER}
    assert set(resolver_map(Asking(named, {}), {"namespace": "nowhere"})) == set()


def test_a_server_outside_that_clients_ask_themselves_stands_outside(tmp_path: Path) -> None:
    rows = [transaction(1, "x.example", server=outside("8.8.8.8")), transaction(2, "x.example")]
    graph = resolver_map(Asking(make_names(tmp_path / "lake", dns=rows), {}), {})
    assert graph.nodes["external///8.8.8.8"]["layer"] == OUTSIDE
    assert graph.nodes[DNS]["layer"] == SERVERS


def test_a_map_of_many_is_folded_and_loses_no_transaction(tmp_path: Path) -> None:
    clients = [pod(f"w{n}", f"10.1.{n}.1", namespace=f"ns{n % 60}") for n in range(200)]
    servers = [pod("node-dns", f"10.2.{n}.1", "kube-system", n) for n in range(30)]
    rows = [transaction(n, "x.example", client, servers[n % 30], forwarded=False) for n, client in enumerate(clients)]
    graph = resolver_map(Asking(make_names(tmp_path / "lake", dns=rows), {}), {})
    assert sum(graph.nodes[node]["layer"] == CLIENTS for node in graph) == 40
    assert [data["label"] for _, data in graph.nodes(data=True) if data["layer"] == SERVERS] == ["30 name servers"]
    assert graph.size("transactions") == 200
    drawn = drawing(graph, place_in_layers(graph), TRANSACTIONS)
    assert all(chosen(graph, element["id"]) for kind in ("nodes", "edges") for element in drawn[kind])


@pytest.mark.parametrize(
    ("identifier", "transactions", "clients"),
    [
        (node_id(API), "30", {"shop/api"}),
        (node_id(DNS), "35", {"shop/api", "shop/web"}),
        (node_id(FORWARDER), "4", {"kube-system/coredns"}),
        (edge_id(API, DNS, "//False"), "30", {"shop/api"}),
        (edge_id(DNS, FORWARDER, "//True"), "4", {"kube-system/coredns"}),
    ],
)
def test_what_is_chosen_on_the_map_narrows_the_page(
    monkeypatch: pytest.MonkeyPatch, named: Lake, identifier: str, transactions: str, clients: set[str]
) -> None:
    app = page(monkeypatch, named, on=identifier)
    assert figures(app)["Transactions"] == transactions
    assert set(table(app, "p99_us")["client"]) == clients
    assert address(app, "on") == identifier
    told = "The findings are not narrowed by a server." in [caption.value for caption in app.caption]
    assert told == (identifier != node_id(API))
    next(button for button in app.button if button.label == "Show all").click().run()
    assert figures(app)["Transactions"] == "35"
    assert "on" not in app.query_params


def test_what_the_map_does_not_have_narrows_nothing(monkeypatch: pytest.MonkeyPatch, named: Lake) -> None:
    app = page(monkeypatch, named, on="node pod/shop/Deployment/'; drop table dns; --")
    assert figures(app)["Transactions"] == "35"
    assert not [button for button in app.button if button.label == "Show all"]


def test_without_kubernetes_objects_addresses_stand_for_workloads(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    client, server = {"ip": "192.0.2.1"}, {"ip": "192.0.2.53"}
    rows = [unanswered(n, "x.example", client=client, server=server) for n in range(3)]
    calls = [resolution(n, "x.example", client=client, outcome="unanswered", duration_us=None) for n in range(3)]
    app = page(monkeypatch, make_names(tmp_path / "lake", dns=rows, resolutions=calls), on="node ///192.0.2.1")
    assert figures(app)["Transactions"] == "3"
    assert set(table(app, "p99_us")["client"]) == {"192.0.2.1"}


def test_a_wave_leaves_and_arrives_level_with_its_ends() -> None:
    from analysis.arcs import waves
    from analysis.layout import Layout

    layout = Layout({"a": (0.0, 0.0), "b": (400.0, 300.0)}, {"a": 100.0, "b": 100.0}, {})
    (there,), (back,) = waves(layout, [("a", "b")]), waves(layout, [("b", "a")])
    assert back is None
    assert there is not None
    along, aside = there
    length = (300.0**2 + 300.0**2) ** 0.5
    for share, distance, level in zip(along, aside, (0.0, 300.0), strict=True):
        # The point at that share of the straight line, and that far beside it, as Cytoscape turns it.
        assert share * 300 + distance * 300 / length == pytest.approx(level, abs=0.2)


def test_an_empty_map_has_an_empty_picture() -> None:
    assert place_in_layers(nx.MultiDiGraph()).boxes == {}
