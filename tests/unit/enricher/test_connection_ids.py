"""Which records are one connection, and whose side wrote them."""

from pathlib import Path

import pytest

from enricher.directory import Directory
from enricher.enrich import enrich
from tests.unit.enricher.cluster import Object, directory, dns, endpoints, flow, flows, node, pod, port, service

BETWEEN_NODES: Object = {"tunnel": "vxlan", "tunnel_src_ip": "192.168.0.1", "tunnel_dst_ip": "192.168.0.2"}
CLIENT, SERVICE, API, NEAR = "10.1.0.5:40000", "10.96.0.7:80", "10.1.1.6:8080", "10.1.0.6:8080"


@pytest.fixture
def shop(tmp_path: Path) -> Directory:
    web, near = (pod(name, ip, node="n1") for name, ip in (("web", "10.1.0.5"), ("near", "10.1.0.6")))
    far = pod("far", "10.1.1.6", node="n2")
    nodes = [node(f"n{n}", f"192.168.0.{n}", f"10.1.{n - 1}.0/24") for n in (1, 2, 3)]
    api = service("api", "10.96.0.7", port(80))
    return directory(tmp_path, *nodes, web, near, far, api, endpoints("api", [port(8080)], near, far))


def matched(read: Directory, *rows: Object) -> tuple[list[int], list[str | None]]:
    """Connections numbered in order of appearance, and reporters."""
    found = enrich(flows(*rows), dns(), read).flows.to_pylist()
    ids = list(dict.fromkeys(row["connection_id"] for row in found))
    return [ids.index(row["connection_id"]) for row in found], [row["reporter"] for row in found]


def connections(*rows: Object) -> list[int]:
    return matched(Directory.empty(), *rows)[0]


def test_two_nodes_and_a_tunnel_see_one_connection(shop: Directory) -> None:
    rows = [
        flow(CLIENT, SERVICE, 0, 5, node="n1", interface="veth1"),
        flow(CLIENT, API, 0.00002, 5, node="n1", interface="eth0", **BETWEEN_NODES),
        flow(CLIENT, API, 0.0008, 5, node="n3", interface="eth0"),
        flow(CLIENT, API, 0.001, 5, node="n2", interface="eth0", **BETWEEN_NODES),
        flow(CLIENT, API, 0.00102, 5, node="n2", interface="veth7"),
    ]
    assert matched(shop, *rows) == ([0] * 5, ["src", "fwd", "fwd", "fwd", "dst"])


def test_service_on_the_same_node_has_a_source_and_a_destination_side(shop: Directory) -> None:
    rows = [flow(CLIENT, SERVICE, 0, 5, node="n1"), flow(CLIENT, NEAR, 0.0001, 5, node="n1")]
    assert matched(shop, *rows) == ([0, 0], ["src", "dst"])


def test_pods_of_one_node_without_a_service(shop: Directory) -> None:
    rows = [flow(CLIENT, NEAR, 0, 5, node="n1", interface=name) for name in ("veth1", "veth2")]
    assert matched(shop, *rows) == ([0, 0], ["src", "src"])


def test_reporter_is_unknown_without_a_node(shop: Directory) -> None:
    assert matched(shop, flow(CLIENT, API)) == ([0], [None])
    assert matched(shop, flow("1.1.1.1:1", "1.1.1.2:1", node="n1")) == ([0], [None])


def test_sides_of_the_service_of_different_connections_stay_apart(shop: Directory) -> None:
    rows = [
        flow(CLIENT, SERVICE, 0, 1),
        flow(CLIENT, API, 0.001, 1),
        flow("10.1.0.5:40001", SERVICE, 0, 1),
        flow("10.1.0.5:40001", NEAR, 0.001, 1),
        flow("10.1.0.5:40002", API, 0, 1),
    ]
    assert matched(shop, *rows)[0] == [0, 0, 1, 1, 2]


def test_reused_port_goes_to_the_backend_of_its_time(shop: Directory) -> None:
    rows = [
        flow(CLIENT, SERVICE, 0, 1),
        flow(CLIENT, API, 0.001, 1),
        flow(CLIENT, SERVICE, 10, 11),
        flow(CLIENT, NEAR, 10.001, 11),
    ]
    found = enrich(flows(*rows), dns(), shop).flows
    assert found["backend_ip"].to_pylist() == ["10.1.1.6", None, "10.1.0.6", None]
    assert matched(shop, *rows)[0] == [0, 0, 1, 1]


def test_backend_is_not_taken_from_another_time(shop: Directory) -> None:
    rows = [flow(CLIENT, SERVICE, 0, 1), flow(CLIENT, API, 2.5, 3)]
    found = enrich(flows(*rows), dns(), shop).flows
    assert found["backend_ip"].to_pylist() == [None, None]
    assert found["dst_kind"].to_pylist() == ["service", "pod"]


def test_one_source_port_for_very_many_connections_is_no_product(shop: Directory) -> None:
    """5,000 sightings on both sides would be 25 million pairs."""
    many = 5_000
    rows = [flow(CLIENT, to, start / 10, start / 10) for to in (SERVICE, API) for start in range(many)]
    found = enrich(flows(*rows), dns(), shop).flows["connection_id"].to_pylist()
    assert found[:many] == found[many:]
    assert len(set(found)) == many


def test_tuple_used_again_is_another_connection() -> None:
    assert connections(flow(CLIENT, API, 0, 1), flow(CLIENT, API, 1.2, 2), flow(CLIENT, API, 30, 31)) == [0, 1, 2]


def test_sightings_of_one_opening_are_one_connection_even_if_one_missed_it() -> None:
    assert connections(
        flow(CLIENT, API, 0, 1),
        flow(CLIENT, API, 1.1999, 2, started=False),
        flow(CLIENT, API, 1.2, 2),
        flow(CLIENT, API, 1.2001, 2),
        flow(CLIENT, API, 1.21, 2, started=False),
    ) == [0, 1, 1, 1, 1]


def test_long_connection_in_several_records() -> None:
    parts = [flow(CLIENT, API, start, start + 60, started=start == 0) for start in (0, 60.5, 121, 300.9)]
    assert connections(*parts) == [0, 0, 0, 0]


def test_connection_not_seen_to_open_ends_after_a_long_silence() -> None:
    assert connections(flow(CLIENT, API, 0, 1, started=False), flow(CLIENT, API, 121.5, 122, started=False)) == [0, 1]


def test_direction_does_not_matter() -> None:
    assert connections(flow(CLIENT, API, 0, 9, started=False), flow(API, CLIENT, 1, 9, started=False)) == [0, 0]


def test_without_ports_the_addresses_are_the_connection() -> None:
    ping = {"protocol": 1, "src_port": None, "dst_port": None, "icmp_type": 8, "icmp_code": 0}
    rows = [flow(CLIENT, API, 0, 1, **ping), flow(CLIENT, API, 0.001, 1, **ping), flow(CLIENT, NEAR, 0, 1, **ping)]
    assert connections(*rows) == [0, 0, 1]


def test_protocol_and_cluster_keep_connections_apart() -> None:
    rows = [
        flow(CLIENT, API),
        flow(CLIENT, API, protocol=17),
        flow(CLIENT, API, cluster="a"),
        flow(CLIENT, API, cluster="b"),
    ]
    assert connections(*rows) == [0, 1, 2, 3]


def test_same_input_same_ids_in_any_order() -> None:
    rows = [flow(CLIENT, API, start, start + 1) for start in (0, 5, 10)]
    forwards = enrich(flows(*rows), dns(), Directory.empty()).flows["connection_id"].to_pylist()
    backwards = enrich(flows(*rows[::-1]), dns(), Directory.empty()).flows["connection_id"].to_pylist()
    assert forwards == backwards[::-1]
    assert all(len(one) == 20 for one in forwards)
