"""A connection whose source a node translated is one, with the pod (or the client outside) for src."""

from pathlib import Path
from typing import Any

import pytest

from enricher.directory import Directory
from enricher.enrich import enrich
from enricher.recall import recall
from enricher.rounds import Rounds
from store.lake import Lake
from tests.unit.enricher.cluster import (
    NOON,
    Object,
    answer,
    directory,
    dns,
    endpoints,
    flow,
    flows,
    node,
    pod,
    port,
    query,
    service,
)

POD, NEAR, OUTSIDE, CLIENT = "10.1.0.5:40000", "10.1.0.6:40000", "203.0.113.9:443", "203.0.113.9:50000"
MASQUERADED, ELSEWHERE = "192.168.0.1:40000", "192.168.0.1:61000"
NODE_PORT, FAR_NODE_PORT, API = "192.168.0.1:30080", "192.168.0.2:30080", "10.1.1.6:8080"
VETH: Object = {"node": "n1", "interface": "veth1"}
OTHER_VETH: Object = {"node": "n1", "interface": "veth2"}
UPLINK: Object = {"node": "n1", "interface": "eth0"}
FAR: Object = {"node": "n2", "interface": "veth7"}


@pytest.fixture
def shop(tmp_path: Path) -> Directory:
    web, near = (pod(name, ip, node="n1") for name, ip in (("web", "10.1.0.5"), ("near", "10.1.0.6")))
    far = pod("far", "10.1.1.6", node="n2")
    nodes = [node(f"n{n}", f"192.168.0.{n}", f"10.1.{n - 1}.0/24") for n in (1, 2)]
    api = service("api", "10.96.0.7", port(80, nodePort=30080))
    return directory(tmp_path, *nodes, web, near, far, api, endpoints("api", [port(8080)], near, far))


def enriched(read: Directory, *rows: Object) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = enrich(flows(*rows), dns(), read).flows.to_pylist()
    return found


def numbers(found: list[dict[str, Any]]) -> list[int]:
    """Connections numbered in order of appearance."""
    ids = list(dict.fromkeys(row["connection_id"] for row in found))
    return [ids.index(row["connection_id"]) for row in found]


def told(row: dict[str, Any], *names: str) -> tuple[Any, ...]:
    return tuple(row[name] for name in names)


@pytest.mark.parametrize("source", [MASQUERADED, ELSEWHERE])
def test_a_masqueraded_connection_is_the_pods(shop: Directory, source: str) -> None:
    found = enriched(shop, flow(POD, OUTSIDE, 0, 5, **VETH), flow(source, OUTSIDE, 0.001, 5, **UPLINK))
    assert numbers(found) == [0, 0]
    assert [told(row, "reporter", "src_pod", "counted") for row in found] == [
        ("src", "web", "alone"),
        ("fwd", "web", "not"),
    ]
    assert {told(row, "src_nat_ip", "src_nat_port") for row in found} == {("192.168.0.1", int(source[-5:]))}


def test_a_nodes_own_connection_is_its_own(shop: Directory) -> None:
    found = enriched(shop, flow(MASQUERADED, OUTSIDE, 0, 5, **UPLINK), flow(POD, "203.0.113.8:443", 0, 5, **VETH))
    assert numbers(found) == [0, 1]
    assert told(found[0], "reporter", "src_kind", "src_nat_ip") == ("src", "node", None)


def test_of_two_that_fit_neither_is_taken(shop: Directory) -> None:
    rows = [flow(POD, OUTSIDE, 0, 5, **VETH), flow(NEAR, OUTSIDE, 0.001, 5, **OTHER_VETH)]
    sent = [flow(f"192.168.0.1:{number}", OUTSIDE, 0.002, 5, **UPLINK) for number in (61000, 61001)]
    assert numbers(enriched(shop, *rows, *sent)) == [0, 1, 2, 3]


def test_counts_tell_which_of_two_it_is(shop: Directory) -> None:
    counts: tuple[Object, Object] = tuple({"src_packets": n, "src_bytes": 60 * n, "dst_packets": n} for n in (5, 9))
    rows = [flow(POD, OUTSIDE, 0, 5, **VETH, **counts[0]), flow(NEAR, OUTSIDE, 0.001, 5, **OTHER_VETH, **counts[1])]
    sent = [flow(f"192.168.0.1:{61000 + n}", OUTSIDE, 0.002, 5, **UPLINK, **counts[n]) for n in (0, 1)]
    assert numbers(enriched(shop, *rows, *sent)) == [0, 1, 0, 1]


def test_the_kept_port_tells_which_of_two_it_is(shop: Directory) -> None:
    rows = [flow(POD, OUTSIDE, 0, 5, **VETH), flow("10.1.0.6:40001", OUTSIDE, 0.001, 5, **OTHER_VETH)]
    sent = [flow(f"192.168.0.1:{number}", OUTSIDE, 0.002, 5, **UPLINK) for number in (40001, 40000)]
    assert numbers(enriched(shop, *rows, *sent)) == [0, 1, 1, 0]


def test_what_began_before_or_much_later_is_another(shop: Directory) -> None:
    pods = flow(POD, OUTSIDE, 1, 5, **VETH)
    for start in (0.999, 1.03):
        assert numbers(enriched(shop, pods, flow(ELSEWHERE, OUTSIDE, start, 5, **UPLINK))) == [0, 1]
    waited = flow(MASQUERADED, OUTSIDE, 1.6, 5, **UPLINK)
    assert numbers(enriched(shop, pods, waited)) == [0, 0], "the port was kept"


def test_one_that_was_refused_before_it_left_is_not_one_that_was_answered(shop: Directory) -> None:
    refused, answered = {"src_packets": 1, "dst_packets": 0}, {"src_packets": 9, "dst_packets": 9}
    rows = [flow(POD, OUTSIDE, 0, 5, **VETH, **refused), flow(ELSEWHERE, OUTSIDE, 0.001, 5, **UPLINK, **answered)]
    assert numbers(enriched(shop, *rows)) == [0, 1]


def test_what_leaves_with_the_pods_address_was_not_translated(shop: Directory) -> None:
    rows = [flow(POD, OUTSIDE, 0, 5, **VETH), flow(POD, OUTSIDE, 0.0001, 5, **UPLINK)]
    found = enriched(shop, *rows, flow(ELSEWHERE, OUTSIDE, 0.0002, 5, **UPLINK))
    assert numbers(found) == [0, 0, 1]


def test_a_probe_is_no_translated_call_from_pod_to_pod(shop: Directory) -> None:
    rows = [flow(POD, "10.1.0.6:8080", 0, 5, **VETH), flow("10.1.0.1:61000", "10.1.0.6:8080", 0.001, 5, **OTHER_VETH)]
    assert numbers(enriched(shop, *rows)) == [0, 1]


def test_a_client_of_a_node_port_reaches_the_pod_on_another_node(shop: Directory) -> None:
    rows = [
        flow(CLIENT, NODE_PORT, 0, 5, **UPLINK),
        flow("10.1.0.0:61000", API, 0.0001, 5, node="n1", interface="flannel.1"),
        flow("10.1.0.0:61000", API, 0.0005, 5, **FAR),
    ]
    found = enriched(shop, *rows)
    assert numbers(found) == [0, 0, 0]
    assert {told(row, "src_kind", "dst_pod", "service") for row in found} == {("external", "far", "api")}
    assert told(found[0], "backend_ip", "src_nat_ip", "counted") == ("10.1.1.6", "10.1.0.0", "alone")
    assert [row["reporter"] for row in found] == ["fwd", "fwd", "dst"]


def test_a_pod_reaches_itself_by_its_service(shop: Directory) -> None:
    rows = [flow(NEAR, "10.96.0.7:80", 0, 5, **VETH), flow("10.1.0.1:61000", "10.1.0.6:8080", 0.0001, 5, **VETH)]
    found = enriched(shop, *rows)
    assert numbers(found) == [0, 0]
    assert {told(row, "src_pod", "dst_pod", "service") for row in found} == {("near", "near", "api")}
    assert [row["reporter"] for row in found] == ["src", "dst"]


def test_a_pod_by_the_node_port_of_another_node_is_translated_twice(shop: Directory) -> None:
    rows = [
        flow(POD, FAR_NODE_PORT, 0, 5, **VETH),
        flow(ELSEWHERE, FAR_NODE_PORT, 0.001, 5, **UPLINK),
        flow(ELSEWHERE, FAR_NODE_PORT, 0.002, 5, node="n2", interface="eth0"),
        flow("10.1.1.1:62000", API, 0.003, 5, **FAR),
    ]
    found = enriched(shop, *rows)
    assert numbers(found) == [0, 0, 0, 0]
    assert {told(row, "src_pod", "dst_pod", "service") for row in found} == {("web", "far", "api")}
    assert [row["backend_ip"] for row in found] == ["10.1.1.6"] * 3 + [None]


def test_a_port_used_again_by_the_node_itself_is_not_the_pods(shop: Directory) -> None:
    rows = [flow(POD, OUTSIDE, 0, 5, **VETH), flow(MASQUERADED, OUTSIDE, 0.001, 5, **UPLINK)]
    assert numbers(enriched(shop, *rows, flow(MASQUERADED, OUTSIDE, 100, 105, **UPLINK))) == [0, 0, 1]


def test_a_question_of_a_resolver_to_the_outside_is_one(shop: Directory) -> None:
    told_it = [answer("www.example", "203.0.113.9")]
    rows = [
        query(POD, "203.0.113.8:53", "www.example", 0, told_it, **VETH),
        query(ELSEWHERE, "203.0.113.8:53", "www.example", 0.001, told_it, **UPLINK),
        query(ELSEWHERE, "203.0.113.8:53", "other.example", 0.001, told_it, **UPLINK),
    ]
    found = enrich(flows(), dns(*rows), shop).dns.to_pylist()
    assert (
        len({row["transaction_id"] for row in found[:2]}) == 1 and found[2]["transaction_id"] not in found[0].values()
    )
    assert [told(row, "client_pod", "reporter") for row in found[:2]] == [("web", "src"), ("web", "fwd")]


def interval(source: str, minute: int, **more: Any) -> Object:
    """Of a connection that is written every five minutes."""
    start, ends = 300 * minute, {"end_reason": "active", "ended": False}
    return flow(source, OUTSIDE, start, start + 300, **({"started": minute == 0} | ends | more))


def given(rounds: Rounds, read: Directory, *arrived: list[Object]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for records in (*arrived, [], []):
        for batch in flows(*records).to_batches():
            rounds.add("flows", batch)
        found += rounds.turn(read).enriched.flows.to_pylist()
    return found


def test_a_long_connection_stays_the_pods_without_the_pods_record(shop: Directory) -> None:
    first = [interval(POD, 0, **VETH), interval(ELSEWHERE, 0, **UPLINK)]
    found = given(Rounds(), shop, first, [], [], [interval(ELSEWHERE, 1, **UPLINK)])
    assert numbers(found) == [0, 0, 0]
    assert told(found[2], "reporter", "src_pod", "src_nat_port") == ("fwd", "web", 61000)


def test_an_enricher_that_starts_knows_the_lakes_translations(shop: Directory, tmp_path: Path) -> None:
    lake = Lake.create(tmp_path / "lake")
    read = enrich(flows(interval(POD, 0, **VETH), interval(ELSEWHERE, 0, **UPLINK)), dns(), shop)
    lake.append({"flows": read.flows})
    (later,) = given(Rounds(recall(lake, NOON)), shop, [interval(ELSEWHERE, 1, **UPLINK)])
    assert later["connection_id"] == read.flows["connection_id"][0].as_py()
    assert told(later, "src_pod", "src_nat_port") == ("web", 61000)


def test_the_lake_counts_it_once(shop: Directory, tmp_path: Path) -> None:
    lake = Lake.create(tmp_path / "lake")
    both = {"src_packets": 5, "dst_packets": 5}
    rows = [
        flow(POD, OUTSIDE, 0, 5, **VETH, **both),
        flow(ELSEWHERE, OUTSIDE, 0, 5, **UPLINK, **both),
        flow(CLIENT, NODE_PORT, 0, 5, **UPLINK, **both),
        flow("10.1.0.0:61000", API, 0, 5, **FAR, **both),
        flow("10.1.0.0:61000", API, 0, 5, node="n1", interface="flannel.1", **both),
    ]
    lake.append({"flows": enrich(flows(*rows), dns(), shop).flows})
    wanted = [("external", None, "far", "10.1.0.0"), ("pod", "web", None, "192.168.0.1")]
    found = lake.connect().sql("select src_kind, src_pod, dst_pod, src_nat_ip from connections order by src_kind")
    assert found.fetchall() == wanted
    found = lake.connect().sql("select src_kind, src_pod, dst_pod from counted order by src_kind")
    assert found.fetchall() == [row[:3] for row in wanted]


def test_nodes_enriched_apart_count_it_once(shop: Directory, tmp_path: Path) -> None:
    """The far node's enricher knows the source after the translation only."""
    lake = Lake.create(tmp_path / "lake")
    both = {"src_packets": 5, "dst_packets": 5}
    near = [
        flow(CLIENT, NODE_PORT, 0, 5, **UPLINK, **both),
        flow("10.1.0.0:61000", API, 0.0001, 5, node="n1", interface="flannel.1", **both),
    ]
    far = [flow("10.1.0.0:61000", API, 0.0005, 5, **FAR, **both)]
    for rows in (near, far):
        lake.append({"flows": enrich(flows(*rows), dns(), shop).flows})
    for view in ("connections", "counted"):
        found = lake.connect().sql(f"select src_kind, dst_pod from {view}").fetchall()
        assert found == [("external", "far")], view


NAT: Object = {"src_nat_ip": "192.168.0.1", "src_nat_port": 61000}


def test_what_connection_tracking_told_needs_no_comparing(shop: Directory) -> None:
    """Two that nothing else could tell apart, and seen later than a comparison would allow."""
    rows = [flow(POD, OUTSIDE, 0, 5, **VETH, **NAT), flow(NEAR, OUTSIDE, 0, 5, **OTHER_VETH)]
    rows[1] |= NAT | {"src_nat_port": 61001}
    sent = [flow(f"192.168.0.1:{number}", OUTSIDE, 0.5, 5, **UPLINK) for number in (61001, 61000)]
    found = enriched(shop, *rows, *sent)
    assert numbers(found) == [0, 1, 1, 0]
    assert [row["src_pod"] for row in found] == ["web", "near", "near", "web"]


def test_the_pod_behind_is_told_where_nobody_saw_it(shop: Directory) -> None:
    behind = {"dst_nat_ip": "10.1.1.6", "dst_nat_port": 8080}
    (by_service,) = enriched(shop, flow(POD, "10.96.0.7:80", 0, 5, **VETH, **behind))
    assert told(by_service, "dst_pod", "service", "backend_ip", "backend_port") == ("far", "api", "10.1.1.6", 8080)
    (by_port,) = enriched(shop, flow(CLIENT, "192.168.0.1:9999", 0, 5, **UPLINK, **behind))
    assert told(by_port, "src_kind", "dst_pod", "backend_port") == ("external", "far", 8080)


def test_what_was_told_outlives_its_round(shop: Directory) -> None:
    first = [interval(POD, 0, **VETH, **NAT)]
    found = given(Rounds(), shop, first, [], [], [interval(ELSEWHERE, 1, **UPLINK)])
    assert numbers(found) == [0, 0]
    assert [row["src_pod"] for row in found] == ["web", "web"]
