"""The questions of the page on names against the same figures counted one by one."""

from collections import Counter
from math import ceil
from typing import Any

import pytest

from analysis.questions import ask
from store.lake import Lake

Row = dict[str, Any]

# A middle of an eighth of a power of two: at most a sixteenth of one away.
CLOSE = 2 ** (1 / 16)


@pytest.fixture(scope="module")
def transactions(lake: Lake) -> list[Row]:
    table = lake.connect().sql("select * from dns where outcome <> 'unsolicited'").to_arrow_table()
    return table.to_pylist()  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def calls(lake: Lake) -> list[Row]:
    return lake.connect().sql("select * from resolutions").to_arrow_table().to_pylist()  # type: ignore[no-any-return]


def ending(row: Row) -> str:
    if row["outcome"] == "unanswered":
        return "unanswered"
    return {"NOERROR": "answered", "NXDOMAIN": "nxdomain"}.get(row["rcode"], "errors")


def server(row: Row) -> str:
    return f"{row['server_namespace']}/{row['server_pod']}" if row["server_pod"] else row["server_ip"]


def bar(row: Row, bar_s: int) -> int:
    return int(row["start_time"].timestamp() // bar_s * bar_s)


def percentile(latencies: list[int], part: float) -> int:
    return sorted(latencies)[ceil(part * len(latencies)) - 1]


CHOICES: list[tuple[dict[str, Any], Any]] = [
    ({}, lambda row: not row["forwarded"]),
    ({"forwarded": True}, lambda row: row["forwarded"]),
    ({"namespace": "shop"}, lambda row: not row["forwarded"] and row["client_namespace"] == "shop"),
    ({"workload": "cart"}, lambda row: not row["forwarded"] and row["client_workload"] == "cart"),
    ({"pod": "cart-1"}, lambda row: not row["forwarded"] and row["client_pod"] == "cart-1"),
    (
        {"server": "kube-system/coredns-1"},
        lambda row: not row["forwarded"] and server(row) == "kube-system/coredns-1",
    ),
]


@pytest.mark.parametrize(("parameters", "holds"), CHOICES)
def test_time_is_what_each_transaction_adds(
    lake: Lake, transactions: list[Row], parameters: dict[str, Any], holds: Any
) -> None:
    chosen = [row for row in transactions if holds(row)]
    told = ask(lake, "pages/dns_time", parameters | {"bar_s": 600}).table.to_pylist()
    assert chosen
    assert [row["bar"] for row in told] == [None, *sorted({bar(row, 600) for row in chosen})]
    for row in told:
        own = [one for one in chosen if row["bar"] in (None, bar(one, 600))]
        counts = Counter(map(ending, own))
        assert {name: row[name] for name in ("answered", "nxdomain", "errors", "unanswered")} == {
            name: counts[name] for name in ("answered", "nxdomain", "errors", "unanswered")
        }
        assert row["transactions"] == len(own)
        latencies = [one["latency_us"] for one in own if one["latency_us"] is not None]
        for name, part in (("p50_us", 0.5), ("p95_us", 0.95), ("p99_us", 0.99)):
            if latencies:
                exact = percentile(latencies, part)
                assert exact / CLOSE <= row[name] * 1.0001
                assert row[name] <= exact * CLOSE * 1.0001
            else:
                assert row[name] is None


def test_edges_have_every_transaction_once(lake: Lake, transactions: list[Row]) -> None:
    edges = ask(lake, "pages/dns_edges").table.to_pylist()
    assert sum(edge["transactions"] for edge in edges) == len(transactions)
    assert sum(edge["unanswered"] for edge in edges) == sum(row["outcome"] == "unanswered" for row in transactions)
    assert sum(edge["latency_us"] for edge in edges) == sum(row["latency_us"] or 0 for row in transactions)
    some = ask(lake, "pages/dns_edges", {"namespace": "shop"}).table.to_pylist()
    own = [row for row in transactions if row["forwarded"] or row["client_namespace"] == "shop"]
    assert sum(edge["transactions"] for edge in some) == len(own) < len(transactions)


def test_calls_are_those_of_clients(lake: Lake, calls: list[Row]) -> None:
    (whole,) = (row for row in ask(lake, "pages/dns_calls").table.to_pylist() if row["place"] == 0)
    assert {name: whole[name] for name in ("calls", "failed", "queries", "wasted_queries")} == {
        "calls": len(calls),
        "failed": sum(row["outcome"] not in ("answered", "no_data") for row in calls),
        "queries": sum(row["queries"] for row in calls),
        "wasted_queries": sum(row["wasted_queries"] for row in calls),
    }


@pytest.mark.parametrize("failing", [False, True])
def test_those_who_wait_or_fail_most_are_told_with_all_their_bars(lake: Lake, calls: list[Row], failing: bool) -> None:
    waited, failed = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for row in calls:
        client = row["client_namespace"], row["client_workload"]
        gave_up = (row["end_time"] - row["start_time"]).total_seconds()
        waited[client] += gave_up if row["duration_us"] is None else row["duration_us"] / 1e6  # type: ignore[assignment]
        failed[client] += row["outcome"] not in ("answered", "no_data")
    ranked = failed if failing else waited
    most = sorted(ranked, key=lambda client: (-ranked[client], *client))[:3]
    told = ask(lake, "pages/dns_calls", {"bar_s": 600, "failing": failing, "workloads": 3}).table.to_pylist()
    for place, client in enumerate(most, 1):
        own = [row for row in told if row["place"] == place]
        assert {(row["client_namespace"], row["client"]) for row in own} == {client}
        assert sum(row["failed"] for row in own) == failed[client]
        assert sum(row["waited_s"] for row in own) == pytest.approx(waited[client], abs=1e-4)
    assert {row["place"] for row in told} == {0, 1, 2, 3}
