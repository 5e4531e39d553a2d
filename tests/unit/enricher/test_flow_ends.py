"""Who stands at both ends of a flow, and through which Service."""

from pathlib import Path

import pytest

from contract.flows import FLOWS
from enricher.directory import Directory
from enricher.enrich import enrich
from tests.unit.enricher.cluster import Object, directory, dns, endpoints, flow, flows, node, pod, port, service

N1 = node("n1", "192.168.0.1", "10.1.0.0/24", zone="za")
N2 = node("n2", "192.168.0.2", "10.1.1.0/24", zone="zb")
WEB = pod("web-7d9c-x", "10.1.0.5", owner=("ReplicaSet", "web-7d9c"), labels={"pod-template-hash": "7d9c"})
API = [pod(f"api-{n}", f"10.1.1.{n}", node="n2", owner=("StatefulSet", "api")) for n in (6, 7)]
OTHER = pod("other", "10.1.1.8", node="n2")
HTTP = port(80, "http", nodePort=30080)
SLICE_HTTP = [port(8080, "http")]
CLIENT = "10.1.0.5:40000"


def enriched(read: Directory, *rows: Object) -> list[Object]:
    listed: list[Object] = enrich(flows(*rows), dns(), read).flows.to_pylist()
    return listed


def one(read: Directory, row: Object) -> Object:
    return enriched(read, row)[0]


def chosen(row: Object, *names: str) -> tuple[object, ...]:
    return tuple(row[name] for name in names)


@pytest.fixture
def shop(tmp_path: Path) -> Directory:
    api = service("api", "10.96.0.7", HTTP, externalIPs=["203.0.113.9"], balancer=["203.0.113.10"])
    return directory(tmp_path, N1, N2, WEB, *API, OTHER, api, endpoints("api", SLICE_HTTP, *API))


def test_pod_has_workload_node_zone_and_labels(shop: Directory) -> None:
    row = one(shop, flow(CLIENT, "10.1.1.8:80", node="n1"))
    assert {name: row[f"src_{name}"] for name in ("kind", "namespace", "pod", "workload_kind", "workload")} == {
        "kind": "pod",
        "namespace": "shop",
        "pod": "web-7d9c-x",
        "workload_kind": "Deployment",
        "workload": "web",
    }
    assert chosen(row, "src_node", "src_zone", "src_labels") == ("n1", "za", [("pod-template-hash", "7d9c")])
    assert chosen(row, "dst_pod", "dst_zone", "service", "ambiguous") == ("other", "zb", None, False)


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("192.168.0.2", "node"),
        ("10.1.1.0", "node"),
        ("10.1.1.1", "node"),
        ("10.1.1.99", None),
        ("1.1.1.1", "external"),
        ("2606:4700::1111", "external"),
        ("127.0.0.1", None),
        ("224.0.0.251", None),
        ("ff02::fb", None),
        ("10.96.0.7", "service"),
        ("not an address", None),
    ],
)
def test_kind(shop: Directory, address: str, kind: str | None) -> None:
    assert one(shop, flow(CLIENT, f"{address}:1234"))["dst_kind"] == kind


def test_pod_on_the_host_network_never_wins_over_the_node(tmp_path: Path) -> None:
    read = directory(tmp_path, N1, pod("agent", "192.168.0.1", host_network=True, start=-5))
    row = one(read, flow(CLIENT, "192.168.0.1:9100"))
    assert chosen(row, "dst_kind", "dst_workload", "dst_pod", "ambiguous") == ("node", "n1", None, False)


def test_endpoint_tells_the_pod_on_the_host_network(tmp_path: Path) -> None:
    agent = pod("agent", "192.168.0.1", host_network=True, start=-5, owner=("DaemonSet", "agent"))
    metrics = service("agent", "10.96.0.8", port(9100))
    read = directory(tmp_path, N1, agent, metrics, endpoints("agent", [port(9100)], agent))
    hit, other, before = enriched(
        read,
        flow(CLIENT, "192.168.0.1:9100"),
        flow(CLIENT, "192.168.0.1:22"),
        flow(CLIENT, "192.168.0.1:9100", start=-60),
    )
    assert chosen(hit, "dst_kind", "dst_pod", "dst_workload", "service") == ("pod", "agent", "agent", "agent")
    assert chosen(other, "dst_kind", "dst_pod", "service") == ("node", None, None)
    assert chosen(before, "dst_kind", "dst_pod", "service") == ("node", None, None)


def test_reused_address_belongs_to_whoever_held_it_then(tmp_path: Path) -> None:
    first = pod("first", "10.1.0.9", start=0, finished=10, phase="Succeeded")
    read = directory(tmp_path, first, pod("second", "10.1.0.9", start=10))
    rows = enriched(read, *(flow(CLIENT, "10.1.0.9:80", start=start) for start in (-1, 0, 9.9, 10.5, 11, 500)))
    found = [chosen(row, "dst_pod", "ambiguous") for row in rows]
    second, handover = ("second", False), ("second", True)
    assert found == [(None, False), ("first", False), ("first", False), handover, second, second]


def test_cluster_address_with_the_same_workload_behind(shop: Directory) -> None:
    row = one(shop, flow(CLIENT, "10.96.0.7:80"))
    assert chosen(row, "dst_kind", "dst_namespace", "dst_pod") == ("service", "shop", None)
    assert chosen(row, "dst_workload_kind", "dst_workload", "dst_node") == ("StatefulSet", "api", None)
    assert chosen(row, "service_namespace", "service", "service_port_name") == ("shop", "api", "http")
    assert chosen(row, "backend_ip", "backend_port") == (None, 8080)


def test_cluster_address_with_several_workloads_behind(tmp_path: Path) -> None:
    mixed = endpoints("api", SLICE_HTTP, API[0], OTHER)
    read = directory(tmp_path, WEB, *API, OTHER, service("api", "10.96.0.7", HTTP), mixed)
    row = one(read, flow(CLIENT, "10.96.0.7:80"))
    assert chosen(row, "dst_kind", "dst_workload_kind", "dst_workload") == ("service", None, None)
    assert chosen(row, "service", "backend_port") == ("api", 8080)


def test_port_the_service_does_not_have(shop: Directory) -> None:
    row = one(shop, flow(CLIENT, "10.96.0.7:81"))
    assert chosen(row, "dst_kind", "dst_workload", "service", "service_port_name") == ("service", None, "api", None)
    assert chosen(row, "backend_ip", "backend_port") == (None, None)


@pytest.mark.parametrize("asked", ["192.168.0.1:30080", "203.0.113.9:80", "203.0.113.10:80"])
def test_node_port_external_address_and_load_balancer(shop: Directory, asked: str) -> None:
    front, back = enriched(
        shop, flow("198.51.100.7:999", asked, node="n2"), flow("198.51.100.7:999", "10.1.1.6:8080", 0.001, node="n2")
    )
    assert chosen(front, "service", "service_port_name", "dst_kind", "dst_pod") == ("api", "http", "pod", "api-6")
    assert chosen(front, "backend_ip", "backend_port", "src_kind") == ("10.1.1.6", 8080, "external")
    assert front["connection_id"] == back["connection_id"]


def test_other_protocol_on_the_service_port_is_not_the_service_port(shop: Directory) -> None:
    assert one(shop, flow(CLIENT, "192.168.0.1:30080", protocol=17))["service"] is None
    assert one(shop, flow(CLIENT, "10.96.0.7:80", protocol=17))["service_port_name"] is None


def test_load_balancer_on_the_address_of_a_node(tmp_path: Path) -> None:
    lb = service("lb", "10.96.0.9", port(443), balancer=["192.168.0.1"])
    read = directory(tmp_path, N1, lb)
    https, ssh = enriched(read, flow(CLIENT, "192.168.0.1:443"), flow(CLIENT, "192.168.0.1:22"))
    assert chosen(https, "service", "dst_kind", "ambiguous") == ("lb", "service", False)
    assert chosen(ssh, "service", "dst_kind", "dst_workload", "ambiguous") == (None, "node", "n1", False)


def test_pod_that_is_endpoint_of_one_service(shop: Directory) -> None:
    row = one(shop, flow(CLIENT, "10.1.1.7:8080"))
    assert chosen(row, "dst_pod", "service", "service_port_name", "backend_ip") == ("api-7", "api", "http", None)
    assert one(shop, flow(CLIENT, "10.1.1.7:22"))["service"] is None


def test_headless_service_is_known_by_its_endpoints(tmp_path: Path) -> None:
    db = service("db", "None", port(5432, "sql"))
    read = directory(tmp_path, *API, db, endpoints("db", [port(5432, "sql")], *API))
    assert chosen(one(read, flow(CLIENT, "10.1.1.6:5432")), "service", "service_port_name") == ("db", "sql")


def test_endpoint_of_two_services_or_not_ready_has_none(tmp_path: Path) -> None:
    two = [service("a", "10.96.0.1", HTTP), service("b", "None", HTTP)]
    slices = [endpoints(name, SLICE_HTTP, API[0]) for name in "ab"]
    assert one(directory(tmp_path, *API, *two, *slices), flow(CLIENT, "10.1.1.6:8080"))["service"] is None
    unready = endpoints("a", SLICE_HTTP, API[0], ready=False)
    assert one(directory(tmp_path, *API, two[0], unready), flow(CLIENT, "10.1.1.6:8080"))["service"] is None


def test_endpoint_of_two_ports_of_one_service_has_no_port_name(tmp_path: Path) -> None:
    both = service("a", "10.96.0.1", HTTP, port(443, "https"))
    read = directory(tmp_path, *API, both, endpoints("a", [*SLICE_HTTP, port(8080, "https")], API[0]))
    assert chosen(one(read, flow(CLIENT, "10.1.1.6:8080")), "service", "service_port_name") == ("a", None)


def test_earlier_holder_of_an_endpoint_address_was_not_the_endpoint(tmp_path: Path) -> None:
    former = pod("former", "10.1.1.6", node="n2", start=-100, finished=-50, phase="Succeeded")
    latter = pod("latter", "10.1.1.6", node="n2", start=-10)
    read = directory(tmp_path, former, latter, service("a", "10.96.0.1", HTTP), endpoints("a", SLICE_HTTP, latter))
    before, now = enriched(read, flow(CLIENT, "10.1.1.6:8080", start=-60), flow(CLIENT, "10.1.1.6:8080"))
    assert chosen(before, "dst_pod", "service") == ("former", None)
    assert chosen(now, "dst_pod", "service") == ("latter", "a")


def test_flow_of_another_cluster_gets_no_names(tmp_path: Path) -> None:
    read = directory(tmp_path, N1, WEB, cluster="east")
    rows = enriched(read, *(flow(CLIENT, "1.1.1.1:1", cluster=cluster) for cluster in ("east", "west", None)))
    assert [chosen(row, "src_kind", "dst_kind") for row in rows] == [
        ("pod", "external"),
        (None, None),
        ("pod", "external"),
    ]


def test_hostile_labels_and_names_stay_data(tmp_path: Path) -> None:
    evil = "'); drop table assignment; --\u202e<script>"
    read = directory(tmp_path, pod(evil, "10.1.0.5", labels={evil: evil}))
    row = one(read, flow(CLIENT, "1.1.1.1:1"))
    assert chosen(row, "src_pod", "src_labels") == (evil, [(evil, evil)])


def test_without_objects_nothing_is_claimed() -> None:
    row = one(Directory.empty(), flow(CLIENT, "1.1.1.1:1", node="n1"))
    assert chosen(row, "src_kind", "dst_kind", "reporter", "service", "ambiguous") == (None, None, None, None, False)
    assert row["connection_id"] and row["community_id"]


def test_no_rows(shop: Directory) -> None:
    assert enrich(flows(), dns(), shop).flows.schema == FLOWS.schema
