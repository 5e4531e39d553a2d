"""The story of a resolution: the one that was meant, its steps, what followed, and what is said where there is none."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from analysis.dns.explain.asked import Asked, Client, read_client, spellings
from analysis.dns.explain.instead import Instead
from analysis.dns.explain.story import PATIENCE, Story, explain
from contract.errors import QuestionError
from store.lake import Lake
from tests.support.lake import HOSTILE, make_tables
from tests.support.names import COREDNS, NOON, UPSTREAM, make_names, outside, pod, resolution, transaction, unanswered

API, WEB = pod("api", "10.244.1.11"), pod("web", "10.244.1.12")
NAME = "rates.partner.example"
SUFFIXES = ["shop.svc.cluster.local", "svc.cluster.local", "cluster.local", "."]


def ms(milliseconds: float) -> datetime:
    return NOON + timedelta(milliseconds=milliseconds)


def searched(number: int, at: float, **more: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """One call that goes through the whole search path, a millisecond a step."""
    key = f"r{number:06d}"
    whole = {"start_time": ms(at), "end_time": ms(at + 5), "suffixes": SUFFIXES, "queries": 4, "wasted_queries": 3}
    steps = []
    for place, suffix in enumerate(SUFFIXES):
        qname = NAME if suffix == "." else f"{NAME}.{suffix}"
        told = {"start_time": ms(at + place), "resolution_id": key, "qname": qname}
        told |= {"answered_from": "upstream", "upstream_us": 800} if suffix == "." else {"rcode": "NXDOMAIN"}
        steps.append(transaction(10 * number + place, **told))
    return resolution(number, NAME, **whole | {"client": API, "registered_domain": "partner.example"} | more), steps


def asked_upstream(number: int, at: float, qname: str = NAME, **more: Any) -> dict[str, Any]:
    return transaction(number, qname, COREDNS, UPSTREAM, start_time=ms(at), **more)


def connection(number: int, at: float, address: str, client: dict[str, Any] = API, **more: Any) -> dict[str, Any]:
    """A connection of one record that tells all."""
    base: dict[str, Any] = make_tables(connections=1)["flows"].slice(0, 1).to_pylist()[0]
    ends = {"src_ip": client["ip"], "dst_ip": address, "dst_port": 443, "dst_kind": "external"}
    unknown = ("namespace", "pod", "workload_kind", "workload", "node", "zone", "labels")
    state = {"connection_state": "SF", "server_handshake_us": 700, "counted": "alone", "connection_records": 1}
    when = {"start_time": ms(at), "end_time": ms(at + 40), "connection_id": f"c{number:06d}"}
    return base | ends | dict.fromkeys(f"dst_{name}" for name in unknown) | state | when | more


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """The name is asked for at noon, and again 20 s later, when it is not answered."""
    first, steps = searched(1, 0, duration_us=4000)
    failed = {"outcome": "unanswered", "answered_suffix": None, "addresses": None, "duration_us": None}
    second, _ = searched(2, 20_000, **failed | {"rcode": None, "end_time": ms(20_003)})
    lost = unanswered(30, NAME, start_time=ms(20_003), resolution_id="r000002", transaction_id="lost")
    others = [
        resolution(3, "gateway.bank.example", start_time=ms(1000), client=WEB),
        resolution(4, "partner.example", start_time=ms(2000), client=API),
        resolution(5, HOSTILE[1], start_time=ms(3000), client=API),
    ]
    legs = [
        asked_upstream(50, 3.1, latency_us=800),
        asked_upstream(51, 3.2, "other.example"),
        asked_upstream(52, 20_003.5, outcome="unanswered", latency_us=None, response_time=None, rcode=None),
        asked_upstream(53, 20_003 + 1000 * PATIENCE.total_seconds() + 1),
    ]
    flows = [
        connection(1, 4, "203.0.113.10"),
        connection(2, 9000, "203.0.113.10", connection_state="REJ", server_handshake_us=None, dst_packets=1),
        connection(3, 20_001, "203.0.113.10"),
        connection(4, 6, "203.0.113.99"),
        connection(5, 7, "203.0.113.10", WEB),
        connection(6, -5, "203.0.113.10"),
    ]
    return make_names(
        tmp_path_factory.mktemp("explain") / "lake",
        dns=[*steps, lost, *legs],
        resolutions=[first, second, *others],
        flows=flows,
    )


def told(lake: Lake, name: str = NAME, client: str = "shop/api", at: datetime | None = None) -> Story | Instead:
    return explain(lake, Asked(name, read_client(client), at))


def story(lake: Lake, name: str = NAME, client: str = "shop/api", at: datetime | None = None) -> Story:
    found = told(lake, name, client, at)
    assert isinstance(found, Story)
    return found


def instead(lake: Lake, name: str, client: str) -> Instead:
    found = told(lake, name, client)
    assert isinstance(found, Instead)
    return found


def test_every_step_says_what_was_put_behind_the_name_and_whether_it_was_needed(lake: Lake) -> None:
    steps = story(lake, at=ms(100)).steps
    assert [(step["offset_us"], step["suffix"], step["wasted"]) for step in steps] == [
        (0, "shop.svc.cluster.local", True),
        (1000, "svc.cluster.local", True),
        (2000, "cluster.local", True),
        (3000, ".", False),
    ]
    assert [step["rcode"] for step in steps] == ["NXDOMAIN"] * 3 + ["NOERROR"]


def test_what_the_server_asked_meanwhile_for_the_same_name_stands_with_the_step(lake: Lake) -> None:
    legs = [
        [(leg["offset_us"], leg["server_ip"]) for leg in step["upstream"]] for step in story(lake, at=ms(100)).steps
    ]
    assert legs == [[], [], [], [(3100, "203.0.113.53")]]


def test_a_step_without_an_answer_waits_as_long_as_the_collector(lake: Lake) -> None:
    (step,) = story(lake).steps
    assert (step["outcome"], step["attempts"]) == ("unanswered", 2)
    assert [(leg["offset_us"], leg["outcome"]) for leg in step["upstream"]] == [(3500, "unanswered")]


def test_connections_are_the_clients_own_to_what_it_was_given_until_it_asked_again(lake: Lake) -> None:
    found = story(lake, at=ms(100))
    seen = [(one["connection_id"], one["offset_us"], one["failed"]) for one in found.connections]
    assert seen == [("c000001", 4000, False), ("c000002", 9_000_000, True)]
    assert found.again == ms(20_000)
    assert story(lake).connections == []
    assert story(lake).again is None


def test_intervals_of_a_connection_are_one(tmp_path: Path) -> None:
    whole, steps = searched(1, 0)
    first = connection(1, 5, "203.0.113.10", connection_state="S1", counted="first", connection_records=3)
    later = {"start_time": ms(45), "end_time": ms(90), "counted": "later", "server_handshake_us": None}
    away = {"counted": "not", "connection_state": "OTH", "node": "node-9"}
    records = [first, first | later | {"connection_state": "SF"}, first | away]
    (one,) = story(make_names(tmp_path, dns=steps, resolutions=[whole], flows=records)).connections
    assert (one["connection_state"], one["server_handshake_us"], one["end_time"]) == ("SF", 700, ms(90))


@pytest.mark.parametrize(
    "at, number",
    [
        (None, 2),
        (ms(60_000_000), 2),
        (ms(20_000), 2),
        (ms(19_999), 1),
        (ms(0), 1),
        (ms(-5000), 1),
        (NOON + timedelta(days=90), 2),
    ],
)
def test_the_last_one_by_then_or_else_the_first_one_after(lake: Lake, at: datetime | None, number: int) -> None:
    assert story(lake, at=at).resolution["resolution_id"] == f"r{number:06d}"


@pytest.mark.parametrize("name", [NAME, NAME.upper(), f"{NAME}.", f"{NAME}.svc.cluster.local"])
def test_a_name_as_it_was_given_or_as_it_was_asked_for(lake: Lake, name: str) -> None:
    assert story(lake, name, at=ms(100)).resolution["asked"] == NAME


@pytest.mark.parametrize("client", ["shop/api", "shop/api-0", "10.244.1.11"])
def test_a_client_by_workload_pod_or_address(lake: Lake, client: str) -> None:
    assert story(lake, client=client).usual["resolutions"] == 2


def test_what_is_usual(lake: Lake) -> None:
    usual = story(lake, at=ms(100)).usual
    counted = (
        "resolutions",
        "answered",
        "unanswered",
        "clients",
        "timed",
        "sooner",
        "p50_us",
        "queries",
        "wasted_queries",
    )
    assert [usual[name] for name in counted] == [2, 1, 1, 1, 1, 0, 4000, 8, 6]


def test_a_finding_is_of_the_name_if_it_shows_this_resolution_else_of_the_client(tmp_path: Path) -> None:
    lost = [unanswered(n, f"{n}.example", client=API, transaction_id=f"l{n}") for n in range(20, 30)]
    lost += [unanswered(1, "gone.example", client=API, transaction_id="l1", resolution_id="r000007")]
    gone = resolution(7, "gone.example", client=API, outcome="unanswered", start_time=ms(0), end_time=ms(900))
    whole, steps = searched(9, 5000)
    lake = make_names(tmp_path, dns=[*lost, *steps], resolutions=[gone, whole])
    ours, others = story(lake, "gone.example").concerns, story(lake).concerns
    assert "unanswered" in [finding.diagnosis for finding in ours.name]
    assert "unanswered" not in [finding.diagnosis for finding in others.name]
    assert "unanswered" in [finding.diagnosis for finding in others.client]


def test_a_client_that_nobody_knows_has_no_findings(tmp_path: Path) -> None:
    stranger = outside("198.51.100.77")
    lake = make_names(
        tmp_path,
        dns=[unanswered(n, NAME, client=stranger, resolution_id="r000001") for n in (1, 2)],
        resolutions=[resolution(1, NAME, client=stranger)],
    )
    found = story(lake, client="198.51.100.77").concerns
    assert (found.name, found.client) == ((), ())


def test_never_asked_for_by_this_client_but_by_another(lake: Lake) -> None:
    found = instead(lake, NAME, "shop/web")
    assert (found.known, [row["client_name"] for row in found.clients]) == (True, ["api"])
    assert [row["asked"] for row in found.names] == ["gateway.bank.example"]
    assert found.elsewhere == []


def test_misspelt_by_the_user(lake: Lake) -> None:
    found = instead(lake, "rates.partnr.example", "shop/api")
    assert [row["asked"] for row in found.names] == [NAME, "partner.example"]
    assert found.clients == []
    assert found.span is not None


def test_a_name_that_only_others_ask_for_like_it(lake: Lake) -> None:
    assert [row["asked"] for row in instead(lake, "gateway.bank.exampel", "shop/api").elsewhere] == [
        "gateway.bank.example"
    ]


def test_a_client_that_never_asked(lake: Lake) -> None:
    found = instead(lake, NAME, "shop/apo")
    assert (found.known, [row["client"] for row in found.like][0]) == (False, "shop/api")


def test_an_empty_lake(tmp_path: Path) -> None:
    found = instead(Lake.create(tmp_path), NAME, "shop/api")
    assert (found.span, found.names, found.clients, found.like) == (None, [], [], [])


@pytest.mark.parametrize("name", [*HOSTILE, "", ".", "a" * 5000])
def test_hostile_names_are_data(lake: Lake, name: str) -> None:
    assert isinstance(told(lake, name), Story | Instead)
    assert isinstance(told(lake, NAME, f"shop/{name or 'x'}".replace("//", "/")), Story | Instead)


@pytest.mark.parametrize(
    "text, client",
    [
        ("shop/api", Client("shop", "api")),
        ("node-1", Client(None, "node-1")),
        ("10.0.0.1", Client(address="10.0.0.1")),
        ("2001:DB8:0::1", Client(address="2001:db8::1")),
    ],
)
def test_clients(text: str, client: Client) -> None:
    assert read_client(text) == client
    assert str(client) == text.lower().replace(":0::", "::")


@pytest.mark.parametrize("text", ["", "/", "shop/", "/api", "shop/Deployment/api"])
def test_what_is_no_client(text: str) -> None:
    with pytest.raises(QuestionError, match="write namespace/workload"):
        read_client(text)


@pytest.mark.parametrize(
    "name, wanted",
    [
        ("A.Example.", ("a.example", "a.example")),
        (".", (".", ".")),
        ("bücher.example", (r"b\195\188cher.example", "xn--bcher-kva.example")),
        (r"a\195b.example", (r"a\195b.example", r"a\195b.example")),
        ("a b", (r"a\032b", r"a\032b")),
        ("\udc80.example", ("?.example", "?.example")),
    ],
)
def test_spellings(name: str, wanted: tuple[str, str]) -> None:
    assert spellings(name) == wanted
