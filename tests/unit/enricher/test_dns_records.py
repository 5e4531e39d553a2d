"""Ends of DNS transactions, and which records are one."""

from pathlib import Path

import pytest

from contract.dns import DNS
from enricher.directory import Directory
from enricher.enrich import enrich
from tests.unit.enricher.cluster import (
    Object,
    answer,
    directory,
    dns,
    endpoints,
    flows,
    node,
    pod,
    port,
    query,
    service,
)

CLIENT, FRONT, BACK, OTHER = "10.1.0.5:40000", "10.96.0.10:53", "10.1.1.6:1053", "10.1.1.7:1053"
ANSWERS = [answer("a.b", "1.1.1.1")]


@pytest.fixture
def shop(tmp_path: Path) -> Directory:
    nodes = [node(f"n{n}", f"192.168.0.{n}", f"10.1.{n - 1}.0/24", zone=f"z{n}") for n in (1, 2)]
    servers = [pod(f"dns-{n}", f"10.1.1.{n}", node="n2", owner=("DaemonSet", "dns")) for n in (6, 7)]
    front = service("dns", "10.96.0.10", port(53, "dns", "UDP"), port(53, "dns-tcp"))
    listed = [port(1053, "dns", "UDP"), port(1053, "dns-tcp")]
    return directory(tmp_path, *nodes, pod("web", "10.1.0.5"), *servers, front, endpoints("dns", listed, *servers))


def enriched(read: Directory, *rows: Object) -> list[Object]:
    listed: list[Object] = enrich(flows(), dns(*rows), read).dns.to_pylist()
    return listed


def transactions(read: Directory, *rows: Object) -> list[int]:
    found = [row["transaction_id"] for row in enriched(read, *rows)]
    return [list(dict.fromkeys(found)).index(one) for one in found]


def test_server_behind_the_service(shop: Directory) -> None:
    front, back = enriched(
        shop, query(CLIENT, FRONT, "a.b", 0, ANSWERS, node="n1"), query(CLIENT, BACK, "a.b", 0.0002, ANSWERS, node="n2")
    )
    assert front["transaction_id"] == back["transaction_id"]
    assert (front["reporter"], back["reporter"]) == ("src", "dst")
    for row in (front, back):
        assert (row["client_pod"], row["server_kind"], row["server_pod"]) == ("web", "pod", "dns-6")
        assert (row["server_zone"], row["server_workload"]) == ("z2", "dns")
        assert (row["service"], row["service_port_name"], row["ambiguous"]) == ("dns", "dns", False)


def test_server_not_seen_behind_the_service_is_its_workload(shop: Directory) -> None:
    (row,) = enriched(shop, query(CLIENT, FRONT, "a.b", transport="tcp"))
    assert (row["server_kind"], row["server_workload_kind"], row["server_workload"]) == ("service", "DaemonSet", "dns")
    assert (row["server_pod"], row["service_port_name"]) == (None, "dns-tcp")


def test_id_name_and_type_tell_transactions_of_one_port_apart(shop: Directory) -> None:
    rows = [
        query(CLIENT, FRONT, "a.b"),
        query(CLIENT, FRONT, "a.b", id=2),
        query(CLIENT, FRONT, "a.c"),
        query(CLIENT, FRONT, "a.b", qtype="AAAA"),
        query(CLIENT, FRONT, "a.b", transport="tcp"),
    ]
    backs = [row | {"server_ip": "10.1.1.6", "server_port": 1053} for row in rows]
    assert transactions(shop, *rows, *backs) == [0, 1, 2, 3, 4] * 2


def test_two_servers_are_two_transactions_unless_the_service_joins_them(shop: Directory) -> None:
    assert transactions(shop, query(CLIENT, BACK, "a.b"), query(CLIENT, OTHER, "a.b")) == [0, 1]


def test_same_query_again_later_is_another_transaction(shop: Directory) -> None:
    assert transactions(shop, *(query(CLIENT, FRONT, "a.b", start, ANSWERS) for start in (0, 0.01, 5, 5.01))) == [
        0,
        0,
        1,
        1,
    ]


def test_record_without_a_question_and_response_without_a_query(shop: Directory) -> None:
    bare = query(CLIENT, FRONT, "", qname=None, qtype=None, qclass=None)
    late = query(CLIENT, FRONT, "a.b", 0, ANSWERS) | {"query_time": None, "latency_us": None, "outcome": "unsolicited"}
    table = enrich(flows(), dns(bare, late), shop).dns
    DNS.validate(table)
    assert len(set(table["transaction_id"].to_pylist())) == 2


def test_a_query_over_tcp_that_asks_a_truncated_answer_again(shop: Directory) -> None:
    cut = query(CLIENT, FRONT, "a.b", 0, [], tc=True)
    rows = [
        cut,
        query(CLIENT, FRONT, "a.b", 1, ANSWERS, transport="tcp"),
        query(CLIENT, FRONT, "other", 1, ANSWERS, transport="tcp"),
        query("10.1.0.6:40000", FRONT, "a.b", 1, ANSWERS, transport="tcp"),
        query(CLIENT, FRONT, "a.b", 30, ANSWERS, transport="tcp"),
    ]
    first, again, *others = enriched(shop, *rows)
    assert again["retry_of"] == first["transaction_id"]
    assert [row["retry_of"] for row in (first, *others)] == [None] * 4


def test_every_sighting_of_a_query_asked_again_knows_it(shop: Directory) -> None:
    rows = [
        query(CLIENT, FRONT, "a.b", 0, [], tc=True, node="n1"),
        query(CLIENT, BACK, "a.b", 0.0002, [], tc=True, node="n2"),
        query(CLIENT, FRONT, "a.b", 1, ANSWERS, transport="tcp", node="n1"),
        query(CLIENT, OTHER, "a.b", 1.0002, ANSWERS, transport="tcp", node="n2"),
    ]
    cut, _, *again = enriched(shop, *rows)
    assert [row["retry_of"] for row in again] == [cut["transaction_id"]] * 2
