"""Who talks to whom outside."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from analysis.questions import ask
from store.lake import Lake
from tests.support.history import NOON, flow, make_history, outside, pod

WEB, CART = pod("web", "10.0.0.1"), pod("cart", "10.0.0.2")
KEYS = ("dst_domain", "dst_registered_domain", "domain_method", "domain_confidence")
Row = dict[str, Any]


def named(name: str | None, registered: str | None, method: str = "dns", sure: str = "high") -> Row:
    return dict(zip(KEYS, (name, registered, method, sure), strict=True))


@pytest.fixture(scope="module")
def going_out(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    one, other = outside("198.51.100.1"), outside("198.51.100.2")
    shop = named("a.shop.example", "shop.example")
    rows = [
        flow(0, WEB, one, 443, **shop),
        flow(1, WEB, one, 443, src_bytes=50, **shop),
        flow(2, WEB, other, 8443, src_bytes=5000, **named("b.shop.example", "shop.example", "sni", "low")),
        flow(3, WEB, one, 443, connection_state="S0", dst_packets=0, dst_bytes=0, **shop),
        flow(4, WEB, one, 25, **named("mail", None, "dns_expired", "medium")),
        flow(5, WEB, other, 22),
        flow(6, CART, one, 443, src_bytes=9, **shop),
        flow(7, WEB, CART, 80),
    ]
    return make_history(tmp_path_factory.mktemp("lake"), rows)


def answered(lake: Lake, **parameters: object) -> list[Row]:
    rows: list[Row] = ask(lake, "egress/domains", parameters).table.to_pylist()
    return rows


def test_one_row_a_workload_and_registered_domain(going_out: Lake) -> None:
    shop, bare, mail, of_cart = answered(going_out)
    assert (shop["src_namespace"], shop["src_name"], shop["domain"], shop["domain_is"]) == (
        WEB["namespace"], WEB["workload"], "shop.example", "registered",
    )  # fmt: skip
    assert (shop["names"], shop["name_count"]) == (["a.shop.example", "b.shop.example"], 2)
    assert (shop["ports"], shop["port_count"], shop["addresses"]) == ([443, 8443], 2, 2)
    assert (shop["connections"], shop["failed"], shop["src_bytes"], shop["dst_bytes"]) == (4, 1, 5250, 2700)
    assert (shop["first_seen"], shop["last_seen"]) == (NOON, NOON + timedelta(seconds=4))
    assert shop["confidence"] == "low", "the least of its connections"
    assert (mail["domain"], mail["domain_is"], mail["names"], mail["confidence"]) == (
        "mail",
        "name",
        ["mail"],
        "medium",
    )
    assert (bare["domain"], bare["domain_is"], bare["names"], bare["name_count"], bare["confidence"]) == (
        "198.51.100.2", "address", None, 0, None,
    )  # fmt: skip
    assert (of_cart["src_name"], of_cart["src_bytes"]) == (CART["workload"], 9)


def test_few_names_and_ports_are_those_with_most_bytes(going_out: Lake) -> None:
    shop = answered(going_out, few=1)[0]
    assert (shop["names"], shop["name_count"]) == (["b.shop.example"], 2)
    assert (shop["ports"], shop["port_count"]) == ([8443], 2)


@pytest.mark.parametrize(
    ("domain", "found"),
    [("SHOP.example", ["shop.example"] * 2), ("b.*", ["shop.example"]), ("198.51.*", ["198.51.100.2"]), ("x", [])],
)
def test_domain_is_a_registered_one_a_name_or_an_address(going_out: Lake, domain: str, found: list[str]) -> None:
    assert [row["domain"] for row in answered(going_out, domain=domain)] == found


def test_names_one_by_one(going_out: Lake) -> None:
    rows = ask(going_out, "egress/names").table.to_pylist()
    assert [
        (row["dst_name"], row["port"], row["connections"], row["domain_methods"], row["confidence"]) for row in rows
    ] == [
        ("b.shop.example", 8443, 1, ["sni"], "low"),
        ("a.shop.example", 443, 3, ["dns"], "high"),
        ("198.51.100.2", 22, 1, None, None),
        ("mail", 25, 1, ["dns_expired"], "medium"),
        ("a.shop.example", 443, 1, ["dns"], "high"),
    ]


def test_policies_are_not_made_of_names_only_others_were_told(tmp_path: Path) -> None:
    methods = ("dns", "dns_workload", "dns_cluster", "sni")
    rows = [
        flow(number, WEB, outside("198.51.100.1"), 443, **named(f"{method}.example", None, method))
        for number, method in enumerate(methods)
    ]
    found = ask(make_history(tmp_path, rows), "policy/history").table["dst_domain"].to_pylist()
    assert sorted(found, key=str) == [None, "dns.example", "dns_workload.example", "sni.example"]


OUTSIDE = ("198.51.100.1", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2001:db8::1", "fec0::1")
INSIDE = (
    "10.0.0.2", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "169.254.169.254",
    "224.0.0.1", "255.255.255.255", "0.0.0.0", "::1", "::", "fd00::1", "fc00::1", "fe80::1", "febf::1", "ff02::fb",
    "::ffff:8.8.8.8",
)  # fmt: skip
UNKNOWN = {"src_kind": None, "dst_kind": None}


@pytest.mark.parametrize("question", ["egress/domains", "egress/names"])
def test_without_objects_outside_is_what_is_not_private(tmp_path: Path, question: str) -> None:
    rows = [flow(n, WEB, outside(address), 443, **UNKNOWN) for n, address in enumerate((*OUTSIDE, *INSIDE))]
    column = {"egress/domains": "domain", "egress/names": "dst_name"}[question]
    assert sorted(ask(make_history(tmp_path, rows), question).table[column].to_pylist()) == sorted(OUTSIDE)


def test_an_address_of_the_clusters_ranges_is_not_outside(tmp_path: Path) -> None:
    """Pods may have public addresses: where a src is known there are objects, and who is nobody's is not external."""
    rows = [flow(0, WEB, outside("198.51.100.1"), 443, dst_kind=None), flow(1, WEB, outside("10.9.9.9"), 443)]
    assert [row["domain"] for row in answered(make_history(tmp_path, rows))] == ["10.9.9.9"]


@pytest.mark.parametrize("unknown", [{}, UNKNOWN])
def test_every_question_calls_the_same_outside(tmp_path: Path, unknown: Row) -> None:
    ends = [(WEB, outside(address)) for address in OUTSIDE] + [(WEB, CART), (outside("198.51.100.9"), CART)]
    lake = make_history(tmp_path, [flow(n, src, dst, 443, **unknown) for n, (src, dst) in enumerate(ends)])
    (overview,), (page,) = (ask(lake, name).table.to_pylist() for name in ("overview/summary", "pages/summary"))
    sent = sum(row["src_bytes"] for row in answered(lake))
    assert (overview["outward_connections"], overview["outside_names"]) == (len(OUTSIDE), len(OUTSIDE))
    assert (page["connections_out"], page["bytes_out"]) == (len(OUTSIDE), sent)
    traffic = ask(lake, "pages/traffic", {"bar_s": 3600}).table.to_pylist()
    neither = "unknown" if unknown else "inside"
    assert {row["direction"]: row["connections"] for row in traffic} == {
        "outbound": len(OUTSIDE), "inbound": 1, neither: 1,
    }  # fmt: skip
