"""Inner addresses of a tunnel are believed where the tunnel goes from node to node, and nowhere else."""

from pathlib import Path

import pytest

from enricher.directory import Directory
from enricher.enrich import enrich
from tests.naive.enricher import is_believed
from tests.unit.enricher.cluster import (
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

CLIENT, FRONT, API, OUTSIDE = "10.1.0.5:40000", "10.96.0.7:80", "10.1.1.6:8080", "93.184.216.34:443"
NODE_1, NODE_2, BRIDGE_2, EVIL = "192.168.0.1", "192.168.0.2", "10.1.1.0", "10.1.0.66"
NAMED = ("src_kind", "src_pod", "dst_kind", "dst_pod", "dst_workload", "service", "backend_ip", "backend_port")


@pytest.fixture
def shop(tmp_path: Path) -> Directory:
    nodes = [node(f"n{n}", f"192.168.0.{n}", f"10.1.{n - 1}.0/24") for n in (1, 2)]
    pods = [pod("web", "10.1.0.5", node="n1"), pod("evil", EVIL, node="n1"), pod("api", "10.1.1.6", node="n2")]
    api = service("api", "10.96.0.7", port(80, nodePort=30080))
    return directory(tmp_path, *nodes, *pods, api, endpoints("api", [port(8080)], pods[2]))


def tunnelled(src: str | None, dst: str | None, to: str = API, start: float = 0, **more: object) -> Object:
    outer = {"tunnel": "vxlan", "tunnel_id": 1, "tunnel_src_ip": src, "tunnel_dst_ip": dst, "node": "n1"}
    return flow(CLIENT, to, start, **(outer | more))


def enriched(read: Directory, *rows: Object, asked: tuple[Object, ...] = ()) -> list[Object]:
    listed: list[Object] = enrich(flows(*rows), dns(*asked), read).flows.to_pylist()
    return listed


@pytest.mark.parametrize("dst", [NODE_2, BRIDGE_2])
@pytest.mark.parametrize("tunnel", ["vxlan", "geneve", "gre", "ipip"])
def test_between_nodes_the_inner_ends_are_named(shop: Directory, dst: str, tunnel: str) -> None:
    inside, plain = enriched(shop, tunnelled(NODE_1, dst, tunnel=tunnel), flow(CLIENT, API, 0.0005, node="n2"))
    assert (inside["src_pod"], inside["dst_pod"], inside["service"], inside["reporter"]) == ("web", "api", "api", "fwd")
    assert inside["connection_id"] == plain["connection_id"]


@pytest.mark.parametrize("tunnel", ["vxlan", "geneve", "gre", "ipip"])
@pytest.mark.parametrize(
    ("src", "dst"),
    [(EVIL, NODE_2), (NODE_1, "10.1.1.6"), (EVIL, "10.1.1.6"), ("203.0.113.1", NODE_2), (None, None), (NODE_1, None)],
)
@pytest.mark.parametrize("to", [API, FRONT, OUTSIDE, "192.168.0.2:30080"])
def test_forged_inner_ends_are_nobody(shop: Directory, tunnel: str, src: str | None, dst: str | None, to: str) -> None:
    resolved = query(CLIENT, "10.96.0.10:53", "example.com", -1, [answer("example.com", "93.184.216.34")])
    forged = tunnelled(src, dst, to, tunnel=tunnel, tls_sni="sni.example")
    found, plain, back = enriched(shop, forged, flow(CLIENT, to), flow(CLIENT, API, 0.001), asked=(resolved,))
    assert [found[name] for name in NAMED] == [None] * len(NAMED)
    assert (found["reporter"], found["dst_domain"], found["domain_method"], found["ambiguous"]) == (
        None,
        None,
        None,
        False,
    )
    assert found["connection_id"] not in {plain["connection_id"], back["connection_id"]}
    assert plain["src_pod"] == "web"


def test_forged_record_is_nobodys_backend(shop: Directory) -> None:
    front, _ = enriched(shop, flow(CLIENT, FRONT), tunnelled(EVIL, NODE_2, start=0.001))
    assert (front["backend_ip"], front["dst_kind"], front["service"]) == (None, "service", "api")


def test_forged_record_does_not_move_a_connection_of_its_tuple(shop: Directory) -> None:
    plain = [flow(CLIENT, API, 0, 1), flow(CLIENT, API, 200, 201, started=False)]
    forged = tunnelled(EVIL, NODE_2, start=-50, end=500)
    alone = [row["connection_id"] for row in enriched(shop, *plain)]
    assert [row["connection_id"] for row in enriched(shop, *plain, forged)][:2] == alone


def test_records_of_one_forged_tunnel_are_one_connection(shop: Directory) -> None:
    rows = [
        tunnelled(EVIL, NODE_2, start=0, end=60),
        tunnelled(NODE_2, EVIL, start=61, end=90, started=False),
        tunnelled(EVIL, "10.1.1.6", start=0, end=60),
    ]
    ids = [row["connection_id"] for row in enriched(shop, *rows)]
    assert [ids.index(one) for one in ids] == [0, 0, 2]


def test_node_address_counts_from_when_the_node_held_it(shop: Directory) -> None:
    assert enriched(shop, tunnelled(NODE_1, NODE_2, start=-86_400))[0]["dst_pod"] is None
    held = shop.assignments.to_pylist()
    outers = [NODE_1, NODE_2, BRIDGE_2, EVIL, "10.1.1.6", "10.96.0.7", "203.0.113.1", None]
    rows = [
        tunnelled(src, dst, OUTSIDE, start) for src in outers for dst in outers for start in (-30_000, -20_000, 0, 9)
    ]
    believed = [row["dst_kind"] == "external" for row in enriched(shop, *rows)]
    assert believed == [is_believed(held, row) for row in rows]


def test_without_objects_a_tunnel_joins_what_it_carries() -> None:
    inside, plain = enriched(Directory.empty(), tunnelled(None, None), flow(CLIENT, API, 0.001))
    assert inside["connection_id"] == plain["connection_id"]
    assert (inside["src_kind"], inside["dst_kind"], inside["reporter"]) == (None, None, None)


def test_another_clusters_tunnel_is_not_judged(tmp_path: Path) -> None:
    read = directory(tmp_path, node("n1", NODE_1), cluster="east")
    inside, plain = enriched(read, tunnelled(EVIL, NODE_1, cluster="west"), flow(CLIENT, API, 0.001, cluster="west"))
    assert inside["connection_id"] == plain["connection_id"]
