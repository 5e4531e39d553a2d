"""How much a report stands on, and whom somebody may have meant whose report stands on nothing."""

from datetime import timedelta
from pathlib import Path

import pytest

from analysis.dns.judged import judged
from analysis.dns.meant import meant, nearest
from store.lake import Lake
from tests.support.names import COREDNS, NOON, UPSTREAM, make_names, pod, transaction

WEB = pod("web-shop", "10.244.1.12", "front")


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    own = [transaction(number, "a.example") for number in range(3)]
    others = [transaction(10, "a.example", WEB), transaction(11, "a.example", WEB, outcome="unsolicited")]
    forwarded = [transaction(20, "a.example", COREDNS, UPSTREAM)]
    return make_names(tmp_path_factory.mktemp("judged") / "lake", dns=[*own, *others, *forwarded])


def test_what_clients_asked_is_told_apart_from_what_their_servers_asked(lake: Lake) -> None:
    found = judged(lake, {})
    assert (found.transactions, found.clients, found.forwarded) == (4, 2, 1)
    assert str(found) == (
        "4 transactions of 2 clients and 1 of name servers for others, 2026-11-01 12:00:00 to 12:00:02 UTC"
    )
    assert str(judged(lake, {"namespace": "front"})) == "1 transaction of 1 client, 2026-11-01 12:00:01 to 12:00:01 UTC"


def test_only_what_is_chosen_is_counted(lake: Lake, tmp_path: Path) -> None:
    assert judged(lake, {"since": NOON + timedelta(seconds=1)}).transactions == 1
    assert judged(lake, {"cluster": "other"}).transactions == 0
    assert judged(lake, {"workload": "coredns"}), "a name server that asks for others is judged, too"
    assert not judged(lake, {"workload": "nobody"})
    late = make_names(tmp_path, dns=[transaction(n, "a", start_time=NOON + n * timedelta(hours=20)) for n in range(2)])
    assert str(judged(late, {})).endswith(", 2026-11-01 12:00:00 to 2026-11-02 08:00:00 UTC")


def test_workloads_of_two_clusters_are_two_clients(tmp_path: Path) -> None:
    both = make_names(tmp_path, dns=[transaction(n, "a.example", cluster=str(n)) for n in range(2)])
    assert judged(both, {}).clients == 2


@pytest.mark.parametrize(
    ("whose", "words"),
    [
        ({"workload": "apy"}, "no workload 'apy' asked for any name; nearest: shop/api"),
        (
            {"workload": "web-shop-5d8f9-x2xlw"},
            "no workload 'web-shop-5d8f9-x2xlw' asked for any name; nearest: front/web-shop",
        ),
        (
            {"workload": "api", "namespace": "front"},
            "no workload 'front/api' asked for any name; nearest: shop/api",
        ),
        ({"namespace": "shpo"}, "nobody of a namespace 'shpo' asked for any name; nearest: shop"),
        ({"namespace": "zzz", "workload": "api"}, "nobody of a namespace 'zzz' asked for any name"),
        ({"workload": "qqqq"}, "no workload 'qqqq' asked for any name"),
    ],
)
def test_who_may_be_meant(lake: Lake, whose: dict[str, object], words: str) -> None:
    assert meant(lake, whose) == words


@pytest.mark.parametrize(
    "whose",
    [{}, {"workload": "api"}, {"namespace": "shop"}, {"workload": "ap?"}, {"workload": "coredns"}, {"namespace": "x*"}],
)
def test_nothing_is_said_of_who_is_there(lake: Lake, whose: dict[str, object]) -> None:
    assert meant(lake, whose) is None


def test_a_server_is_no_client(tmp_path: Path) -> None:
    lake = make_names(tmp_path, dns=[transaction(1, "a.example")])
    assert meant(lake, {"workload": "coredns"}, only_clients=False) is None
    assert meant(lake, {"workload": "coredns"}) is not None


def test_of_more_than_can_be_compared_nobody_is_denied(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analysis.dns.meant.MOST_COMPARED", 1)
    assert meant(lake, {"workload": "nobody"}) is None


def test_a_workload_whose_name_is_longer_goes_before() -> None:
    clients = ["shop/web", "shop/web-api", "ops/web-api", "shop/api"]
    assert nearest("shop/web-api-5d8f9", clients, 3) == ["shop/web-api", "ops/web-api", "shop/web"]
    assert nearest("wed", clients, 3) == ["shop/web"]


def test_what_is_spelt_otherwise_is_not_meant() -> None:
    assert nearest("redis", ["kube-system/coredns", "payments/risk", "ops/refunds"], 3) == []
    assert nearest("shop/redis", ["shop/rates", "shop/regional", "cache/redsi"], 3) == ["cache/redsi"]
