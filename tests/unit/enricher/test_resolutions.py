"""Which transactions are one call of a resolver, and what is said of it."""

from itertools import count
from pathlib import Path
from typing import Any

import pytest

from enricher.directory import Directory
from enricher.enrich import enrich
from enricher.resolutions import EDGE_US
from tests.unit.enricher.cluster import Object, answer, at, directory, dns, flow, flows, node, pod, query

CLIENT, SERVER, UPSTREAM = "10.1.0.5", "10.1.1.6:53", "203.0.113.53:53"
SHOP, SVC, CLUSTER = "shop.svc.cluster.local", "svc.cluster.local", "cluster.local"
# A first and a last query, so that what lies between is far enough from the ends to be decided.
FAR = EDGE_US / 1e6 + 100
PORTS = count(30000)


@pytest.fixture
def shop(tmp_path: Path) -> Directory:
    nodes = [node(f"n{n}", f"192.168.0.{n}", f"10.1.{n - 1}.0/24") for n in (1, 2)]
    return directory(tmp_path, *nodes, pod("web", CLIENT), pod("dns", "10.1.1.6", node="n2", namespace="kube-system"))


def ask(name: str, when: float, address: str | None = None, **more: Any) -> Object:
    """A query that exists only with an address, else NXDOMAIN."""
    client = f"{more.pop('ip', CLIENT)}:{more.pop('port', None) or next(PORTS)}"
    server = more.pop("server", SERVER)
    told = {"rcode": "NOERROR" if address else "NXDOMAIN", "node": "n1"} | more
    return query(client, server, name, when, [answer(name, address)] if address else [], **told)


def pair(name: str, at: float, address: str | None = None, **more: Any) -> list[Object]:
    """A and AAAA from one socket; there are IPv4 addresses only."""
    port = more.pop("port", None) or next(PORTS)
    second = {"qtype": "AAAA", "rcode": "NOERROR" if address else "NXDOMAIN"}
    return [ask(name, at, address, port=port, **more), ask(name, at + 0.0001, None, port=port, **second | more)]


def lost(name: str, at: float, **more: Any) -> Object:
    client = f"{CLIENT}:{more.pop('port', None) or next(PORTS)}"
    return query(client, SERVER, name, at, **{"node": "n1", "attempts": 2} | more)


def search(name: str, at: float, *suffixes: str, address: str | None = "198.51.100.7", **more: Any) -> list[Object]:
    """Every step two milliseconds after the one before, and an answer at the last."""
    names = [name if suffix == "." else f"{name}.{suffix}" for suffix in suffixes]
    found = [None] * (len(names) - 1) + [address]
    return [row for step, one in enumerate(names) for row in pair(one, at + step * 0.002, found[step], **more)]


def resolved(read: Directory, *rows: Object, connections: tuple[Object, ...] = ()) -> list[Object]:
    ends = [
        ask(f"{one}.example", when, "192.0.2.1", ip="10.1.0.99", node=one) for one, when in (("n1", -FAR), ("n2", FAR))
    ]
    enriched = enrich(flows(*connections), dns(*ends, *rows), read)
    listed: list[Object] = enriched.resolutions.to_pylist()
    return [row for row in listed if row["client_ip"] == CLIENT]


def test_a_search_path_is_one_resolution(shop: Directory) -> None:
    (row,) = resolved(shop, *search("rates.partner.example", 0, SHOP, SVC, CLUSTER, "."))
    assert (row["asked"], row["qtypes"], row["answered_suffix"]) == ("rates.partner.example", "A,AAAA", ".")
    assert row["suffixes"] == [SHOP, SVC, CLUSTER, "."]
    assert (row["transactions"], row["queries"], row["wasted_queries"], row["retries"]) == (8, 8, 6, 0)
    assert (row["outcome"], row["rcode"], row["addresses"], row["ttl"]) == ("answered", "NOERROR", ["198.51.100.7"], 60)
    assert (row["duration_us"], row["wasted_us"], row["counted"]) == (7100, 3 * 1100, True)
    assert (row["registered_domain"], row["client_workload"], row["forwarded"]) == ("partner.example", "web", False)


def test_the_step_that_answers_is_not_the_last_one(shop: Directory) -> None:
    (row,) = resolved(shop, *search("payments.payments", 0, SHOP, SVC))
    assert (row["asked"], row["answered_suffix"], row["wasted_queries"]) == ("payments.payments", SVC, 2)
    assert row["registered_domain"] is None


def test_a_name_asked_as_it_stands_first(shop: Directory) -> None:
    rows = search("api.gone.example", 0, ".", SHOP, SVC, CLUSTER, address=None)
    (row,) = resolved(shop, *rows)
    assert (row["suffixes"], row["answered_suffix"]) == ([".", SHOP, SVC, CLUSTER], None)
    assert (row["outcome"], row["rcode"], row["wasted_queries"]) == ("nxdomain", "NXDOMAIN", 6)


def test_the_same_call_again_is_another_resolution(shop: Directory) -> None:
    rows = [row for at in (0, 0.02, 0.04) for row in search("rates.partner.example", at, SHOP, SVC, CLUSTER, ".")]
    rows += [row for at in (5, 5.01, 5.02) for row in pair("one.example", at, "198.51.100.7")]
    found = resolved(shop, *rows)
    assert [(row["asked"], row["queries"]) for row in found] == [("rates.partner.example", 8)] * 3 + [
        ("one.example", 2)
    ] * 3


def test_a_name_of_the_cluster_written_out_is_no_search_path(shop: Directory) -> None:
    full = "payments.payments.svc.cluster.local"
    short, written = search("payments.payments", 0, SHOP, SVC), search(full, 0.5, SHOP, SVC, CLUSTER, ".")
    found = resolved(shop, *short, *written, *pair(full, 40, "198.51.100.7"))
    assert [(row["asked"], row["queries"]) for row in found] == [("payments.payments", 4), (full, 8), (full, 2)]


def test_a_suffix_of_another_namespace_is_none(shop: Directory) -> None:
    rows = pair("cart.other.svc.cluster.local", 0) + pair("cart.svc.cluster.local", 0.002, "198.51.100.7")
    assert [row["suffixes"] for row in resolved(shop, *rows)] == [["."], ["."]]


def test_a_search_domain_of_the_node_is_learned_from_several_names(shop: Directory) -> None:
    path = (SHOP, SVC, CLUSTER, "eu-1.compute.internal", ".")
    one, two = search("a.example", 0, *path), search("b.example", 3, *path)
    assert [row["suffixes"] for row in resolved(shop, *one, *two)] == [list(path)] * 2
    assert [row["suffixes"] for row in resolved(shop, *one)] == [[SHOP, SVC, CLUSTER, "."], ["."]]


def test_a_step_asked_again_after_silence_is_a_retry(shop: Directory) -> None:
    rows = [lost("slow.example", 0, attempts=1), ask("slow.example", 5, "198.51.100.7")]
    (row,) = resolved(shop, *rows)
    assert (row["queries"], row["retries"], row["unanswered"]) == (2, 1, 1)
    assert (row["outcome"], row["duration_us"]) == ("answered", 5_001_000)


def test_what_a_resolver_gave_up_is_over(shop: Directory) -> None:
    repeated = [lost("slow.example", 0), ask("slow.example", 5.2, "198.51.100.7")]
    assert [row["outcome"] for row in resolved(shop, *repeated)] == ["unanswered", "answered"]
    polled = [lost("dead.example", 5 * turn, attempts=1) for turn in range(6)]
    assert [row["queries"] for row in resolved(shop, *polled)] == [2, 2, 2]


def test_a_half_that_was_never_answered_lasts_to_its_last_query(shop: Directory) -> None:
    rows = [ask("x.example", 0, "198.51.100.7")] + [lost("x.example", at, attempts=1, qtype="AAAA") for at in (0, 5)]
    (row,) = resolved(shop, *rows)
    assert (row["outcome"], row["unanswered"], row["duration_us"]) == ("answered", 2, 5_000_000)


def test_a_name_that_nobody_answers(shop: Directory) -> None:
    (row,) = resolved(shop, lost("dead.example", 0), lost("dead.example", 0, qtype="AAAA"))
    assert (row["outcome"], row["rcode"], row["duration_us"], row["unanswered"]) == ("unanswered", None, None, 2)
    assert (row["addresses"], row["connections"], row["retries"]) == (None, None, 2)


def test_servfail_is_failed(shop: Directory) -> None:
    (row,) = resolved(shop, *[ask("erp.example", at, None, rcode="SERVFAIL") for at in (0,)])
    assert (row["outcome"], row["rcode"]) == ("failed", "SERVFAIL")


def test_one_lost_of_a_pair_on_one_socket(shop: Directory) -> None:
    a, aaaa = pair("race.example", 0, "198.51.100.7")
    late = {"attempts": 2, "latency_us": 5_001_000, "response_time": at(5.001)}
    assert [row["lost_of_pair"] for row in resolved(shop, a, aaaa)] == [0]
    assert [row["lost_of_pair"] for row in resolved(shop, a, aaaa | late)] == [1]
    assert [row["lost_of_pair"] for row in resolved(shop, a | late, aaaa | late)] == [0], "the server was late for both"


def test_a_pair_repeated_from_its_socket_is_the_same_call(shop: Directory) -> None:
    a, aaaa = pair("race.example", 0, "198.51.100.7")
    again, first_seen = pair("race.example", 5, "198.51.100.7", port=a["client_port"])
    (row,) = resolved(shop, a, again, first_seen)
    assert (row["queries"], row["retries"], row["lost_of_pair"], row["duration_us"]) == (3, 1, 1, 5_001_100)
    late = {"attempts": 2, "latency_us": 5_001_000, "response_time": at(5.001)}
    (row,) = resolved(shop, a, aaaa | late, again)
    assert (row["queries"], row["retries"], row["lost_of_pair"]) == (4, 2, 1)
    others = pair("race.example", 5, "198.51.100.7", port=a["client_port"], id=9)
    assert len(resolved(shop, a, aaaa, *others)) == 2, "another message from a socket that is kept"


def test_a_truncated_answer_and_its_retry_over_tcp(shop: Directory) -> None:
    cut = ask("many.example", 0, None, rcode="NOERROR", tc=True)
    again = ask("many.example", 0.002, "198.51.100.7", transport="tcp")
    (row,) = resolved(shop, cut, again)
    assert (row["truncated"], row["over_tcp"], row["retries"], row["outcome"]) == (1, 1, 0, "answered")


def test_connections_are_those_to_the_addresses_it_gave(shop: Directory) -> None:
    rows = ask("x.example", 0, "198.51.100.7"), ask("x.example", 5, "198.51.100.7"), ask("y.example", 5, "198.51.100.8")
    made = tuple(
        flow(f"{CLIENT}:{port}", f"{ip}:443", at, node="n1", connection_state=state)
        for port, ip, at, state in (
            (1, "198.51.100.7", 1, "SF"),
            (2, "198.51.100.7", 2, "REJ"),
            (3, "198.51.100.7", 6, "S0"),
            (4, "198.51.100.9", 6, "SF"),
        )
    )
    found = resolved(shop, *rows, connections=made)
    assert [(row["connections"], row["failed_connections"]) for row in found] == [(2, 1), (1, 1), (0, 0)]


def test_connections_are_not_known_where_the_flows_after_it_are_not_there(shop: Directory) -> None:
    assert [row["connections"] for row in resolved(shop, ask("x.example", FAR - 5, "198.51.100.7"))] == [None]


def test_who_asks_others_forwards_and_waits_for_them(shop: Directory) -> None:
    asked = ask("x.example", 0, "198.51.100.7", latency_us=9000)
    asked["response_time"] = asked["start_time"].replace(microsecond=9000)
    upstream = query("10.1.1.6:5000", UPSTREAM, "x.example", 0.001, [answer("x.example", "198.51.100.7")], node="n2")
    cached = ask("x.example", 1, "198.51.100.7")
    own = ask("api.shop.svc.cluster.local", 2, "10.96.0.7", aa=True)
    table = enrich(flows(), dns(asked, upstream, cached, own), shop).dns
    told = [(row["forwarded"], row["answered_from"], row["upstream_us"]) for row in table.to_pylist()]
    assert told == [(False, "upstream", 1000), (True, None, None), (False, "cache", None), (False, "zone", None)]


def counted(read: Directory, *rows: Object) -> list[bool | None]:
    ends = [ask("end.example", when, "192.0.2.1") for when in (-FAR, FAR)]
    found: list[bool | None] = enrich(flows(), dns(*ends, *rows), read).dns["counted"].to_pylist()[2:]
    return found


def test_a_transaction_is_decided_where_its_client_is(shop: Directory) -> None:
    one, two = ask("x.example", 0, "192.0.2.1", port=7), ask("x.example", 0.0001, "192.0.2.1", port=7, node="n2")
    assert counted(shop, one, two) == [True, False]
    assert counted(shop, one) == [True]
    away = ask("x.example", 0, "192.0.2.1", ip="10.1.1.6", server="10.1.0.5:53")
    assert counted(shop, away) == [None], "the client's node may tell"
    outside = ask("x.example", 0, "192.0.2.1", server=UPSTREAM)
    assert counted(shop, outside) == [True]


def test_a_transaction_near_the_end_is_not_decided(shop: Directory) -> None:
    near, far = (ask("x.example", when, "192.0.2.1", server=UPSTREAM) for when in (FAR - 5, 0))
    assert counted(shop, near, far) == [None, True]


def test_an_answer_of_another_name_makes_no_name_server(shop: Directory) -> None:
    asked = query("10.1.0.9:1", f"{CLIENT}:53", "decoy.example", 0, [answer("decoy.example", "192.0.2.1")], node="n1")
    table = enrich(flows(), dns(asked, ask("tunnel.example", 0.0005, "192.0.2.1")), shop).dns
    assert table["forwarded"].to_pylist() == [False, False]


def test_a_cache_on_the_node_forwards_by_the_nodes_address(shop: Directory) -> None:
    asked = ask("x.example", 0, "192.0.2.1", server="169.254.20.10:53")
    leg = query("192.168.0.1:5000", SERVER, "x.example", 0.0002, [answer("x.example", "192.0.2.1")], node="n1")
    again = ask("x.example", 1, "192.0.2.1", server="169.254.20.10:53")
    told = enrich(flows(), dns(asked, leg, again), shop).dns.to_pylist()
    assert [(row["forwarded"], row["answered_from"]) for row in told] == [
        (False, "upstream"),
        (True, None),
        (False, "cache"),
    ]


def test_clocks_of_two_nodes_do_not_hide_what_was_asked_upstream(shop: Directory) -> None:
    late = 0.004
    seen = ask("x.example", 0, "192.0.2.1", port=7), ask("x.example", late, "192.0.2.1", port=7, node="n2")
    leg = query("10.1.1.6:5000", UPSTREAM, "x.example", late + 0.0002, [answer("x.example", "192.0.2.1")], node="n2")
    told = enrich(flows(), dns(*seen, leg), shop).dns["answered_from"].to_pylist()
    assert told[:2] == ["upstream", "upstream"]


def test_loopback_clients_of_two_nodes_are_two(shop: Directory) -> None:
    rows = [ask("x.example", 0.1 * n, None, ip="127.0.0.1", server="127.0.0.53:53", node=f"n{n}") for n in (1, 2)]
    found = enrich(flows(), dns(*rows), shop).resolutions.to_pylist()
    assert [(row["node"], row["transactions"]) for row in found] == [("n1", 1), ("n2", 1)]


def test_connections_are_not_known_where_only_dns_was_captured(shop: Directory) -> None:
    only_dns = flow(f"{CLIENT}:1", SERVER, 0, node="n1", application="dns")
    other = flow("10.1.0.77:1", "198.51.100.9:443", 0, node="n1")
    rows = ask("x.example", 0, "198.51.100.7")
    assert [row["connections"] for row in resolved(shop, rows, connections=(only_dns,))] == [None]
    assert [row["connections"] for row in resolved(shop, rows, connections=(only_dns, other))] == [0]


def test_names_of_strangers_are_only_text(shop: Directory) -> None:
    names = [
        "%.shop.svc.cluster.local",
        "_.svc.cluster.local",
        "a%_'.shop.svc.cluster.local",
        "\\.",
        "." * 40,
        "x" * 255,
    ]
    found = resolved(shop, *[ask(name, at) for at, name in enumerate(names)])
    assert [row["asked"] for row in found] == names


def test_no_dns_is_no_resolution(shop: Directory) -> None:
    assert enrich(flows(), dns(), shop).resolutions.num_rows == 0
