"""Which edges a policy has to decide on, and whose they are."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from analysis.policy.endpoints import Endpoint
from analysis.policy.history import History, Window, read_history, window_of
from contract.errors import QuestionError
from store.lake import Lake
from tests.support.history import NOON, Row, assignment, endpoint, flow, make_history, node, outside, pod

WEB, API = pod("web", "10.0.0.1"), pod("api", "10.0.0.2")
SERVICE = {"service_namespace": "shop", "service": "api"}
BEHIND = {"backend_ip": "10.0.0.2", "backend_port": 8080}


def history(lake: Lake, known: list[Endpoint] | None = None, **bounds: Any) -> History:
    window = window_of(lake, bounds.get("since"), bounds.get("until"))
    assert window is not None
    return read_history(lake, [endpoint(WEB), endpoint(API)] if known is None else known, window, **bounds)


def edges(found: History) -> list[tuple[Endpoint, Endpoint, int, int]]:
    ends = found.endpoints
    return [
        (ends[src], ends[dst], protocol, port)
        for src, dst, protocol, port in zip(*(column.tolist() for column in found.edges), strict=True)
    ]


def of(found: History, *names: str) -> list[tuple[Any, ...]]:
    return list(zip(*(found.rows[name].to_pylist() for name in names), strict=True))


def test_connections_of_one_edge_are_counted_and_failures_apart(tmp_path: Path) -> None:
    refused = {"connection_state": "REJ", "dst_packets": 1, "dst_bytes": 40}
    lake = make_history(tmp_path, [flow(0, WEB, API), flow(1, WEB, API), flow(90, WEB, API, **refused)])
    found = history(lake)
    assert of(found, "connections", "failed", "bytes") == [(3, 1, 2140)]
    assert of(found, "first_seen", "last_seen") == [(NOON, NOON + timedelta(seconds=91))]
    minute = int(NOON.timestamp()) // 60
    assert of(found, "ticks") == [([minute, minute, minute + 1],)]


def test_behind_a_service_it_is_the_pod_and_its_port(tmp_path: Path) -> None:
    asked = flow(0, WEB, API | {"ip": "10.96.0.1", "kind": "service"}, 80, **SERVICE, **BEHIND)
    found = history(make_history(tmp_path, [asked, flow(1, WEB, API, 8080)]))
    assert edges(found) == [(endpoint(WEB), endpoint(API), 6, 8080)]
    assert of(found, "connections") == [(2,)]


def test_a_pod_behind_a_service_that_is_not_known_is_any_of_its_workload(tmp_path: Path) -> None:
    service = {"kind": "service", "ip": "10.96.0.1", "pod": None, "labels": None, "node": None}
    asked = flow(0, WEB, API | service, 80, **SERVICE, backend_port=8080)
    found = history(make_history(tmp_path, [asked], assignments=[assignment(API)]))
    assert edges(found) == [(endpoint(WEB), endpoint(API), 6, 8080)]
    assert found.unresolved.num_rows == 0


def test_a_service_with_nobody_behind_it_is_not_judged(tmp_path: Path) -> None:
    service = {"kind": "service", "ip": "10.96.0.1", "namespace": "shop"}
    found = history(make_history(tmp_path, [flow(0, WEB, service), flow(1, WEB, API)]))
    assert (len(edges(found)), found.unresolved["dst_address"].to_pylist()) == (1, ["10.96.0.1"])


def test_sightings_of_both_nodes_are_one_connection(tmp_path: Path) -> None:
    near = flow(0, WEB, API)
    far = near | {"node": "node-2", "reporter": "dst", "interface": "veth2", "src_bytes": 99}
    outer = {"tunnel": "vxlan", "tunnel_id": 1, "tunnel_src_ip": "172.18.0.11", "tunnel_dst_ip": "172.18.0.12"}
    found = history(make_history(tmp_path, [near, far, far | outer | {"interface": "eth0"}]))
    assert of(found, "connections", "bytes") == [(1, 1000)]


def test_an_address_used_twice_is_two_pods(tmp_path: Path) -> None:
    later = pod("job", WEB["ip"], "batch")
    found = history(make_history(tmp_path, [flow(0, WEB, API), flow(1, later, API)]), [endpoint(API)])
    named = {(src.namespace, src.name, src.address) for src, *_ in edges(found)}
    assert named == {("shop", "web-0", "10.0.0.1"), ("batch", "job-0", "10.0.0.1")}


def test_ambiguous_connections_are_counted(tmp_path: Path) -> None:
    found = history(make_history(tmp_path, [flow(0, WEB, API, ambiguous=True), flow(1, WEB, API)]))
    assert of(found, "connections", "ambiguous") == [(2, 1)]


def test_a_node_and_an_address_outside_are_themselves(tmp_path: Path) -> None:
    known = [endpoint(API), endpoint(node(), labels={"role": "edge"})]
    flows = [flow(0, node(), API), flow(1, outside("203.0.113.9"), API), flow(2, {"ip": "10.9.9.9"}, API)]
    found = history(make_history(tmp_path, flows), known)
    ends = {src.name: (src.kind, src.address, dict(src.labels)) for src, *_ in edges(found)}
    assert ends == {
        "node-1": ("node", "172.18.0.11", {"role": "edge"}),
        "203.0.113.9": ("external", "203.0.113.9", {}),
        "10.9.9.9": ("external", "10.9.9.9", {}),
    }


def test_a_node_that_is_gone_is_still_a_node(tmp_path: Path) -> None:
    ((src, *_),) = edges(history(make_history(tmp_path, [flow(0, node("node-2"), API)])))
    assert (src.kind, src.name, src.address, src.node) == ("node", "node-2", "172.18.0.12", "node-2")


def test_a_pod_of_the_host_network_that_is_gone_is_known_as_one(tmp_path: Path) -> None:
    agent = pod("agent", "172.18.0.11")
    lake = make_history(tmp_path, [flow(0, API, agent)], assignments=[assignment(agent, host_network=True)])
    ((_, dst, *_),) = edges(history(lake))
    assert (dst.kind, dst.host_network, dst.node) == ("pod", True, "node-1")


def gone_labels(tmp_path: Path, labels: list[tuple[str, str]], **tables: list[Row]) -> Endpoint:
    gone = WEB | {"pod": "web-gone", "labels": labels}
    shop = {"team": "shop"}
    serving = endpoint(WEB, ports={"http": ("TCP", 8080)}, service_account="web", namespace_labels=shop)
    lake = make_history(tmp_path, [flow(0, gone, API)], **tables)
    ((src, *_),) = edges(history(lake, [serving, endpoint(API, namespace_labels=shop)]))
    return src


def test_a_pod_that_is_gone_keeps_the_labels_of_its_flows(tmp_path: Path) -> None:
    src = gone_labels(tmp_path, [("app", "web"), ("pod-template-hash", "abc")])
    assert dict(src.labels) == {"app": "web", "pod-template-hash": "abc"}
    assert src.namespace_labels == {"team": "shop"}


def test_a_pod_that_is_gone_has_the_ports_of_its_like(tmp_path: Path) -> None:
    src = gone_labels(tmp_path, [("app", "web"), ("pod-template-hash", "abc")])
    assert (src.ports, src.service_account) == ({"http": ("TCP", 8080)}, "web")


def test_a_pod_that_is_gone_and_like_no_other_has_no_ports(tmp_path: Path) -> None:
    src = gone_labels(tmp_path, [("app", "other")])
    assert (src.ports, src.service_account) == ({}, None)


def test_the_labels_of_an_assignment_go_before_those_of_flows(tmp_path: Path) -> None:
    told = assignment(WEB | {"pod": "web-gone", "labels": [("app", "told")]})
    assert dict(gone_labels(tmp_path, [("app", "web")], assignments=[told]).labels) == {"app": "told"}


def test_a_pod_of_two_families_is_seen_at_both_addresses(tmp_path: Path) -> None:
    flows = [flow(0, WEB, API), flow(1, WEB | {"ip": "fd00::1"}, API)]
    addresses = {src.address for src, *_ in edges(history(make_history(tmp_path, flows)))}
    assert addresses == {"10.0.0.1", "fd00::1"}


def test_what_has_no_ports_has_none(tmp_path: Path) -> None:
    ping = flow(0, WEB, API, protocol=1, src_port=None, dst_port=None, icmp_type=8, icmp_code=0, connection_state=None)
    ((_, _, protocol, port),) = edges(history(make_history(tmp_path, [ping])))
    assert (protocol, port) == (1, -1)


def test_a_window_bounds_it(tmp_path: Path) -> None:
    lake = make_history(tmp_path, [flow(0, WEB, API), flow(60, WEB, API), flow(120, WEB, API)])
    since, until = NOON + timedelta(seconds=30), NOON + timedelta(seconds=90)
    found = history(lake, since=since, until=until)
    assert of(found, "connections") == [(1,)]
    assert found.window == Window(since, until)


def test_several_clusters_are_not_mixed(tmp_path: Path) -> None:
    lake = make_history(tmp_path, [flow(0, WEB, API, cluster="a"), flow(1, WEB, API, cluster="b")])
    with pytest.raises(QuestionError, match="several clusters \\('a', 'b'\\)"):
        history(lake)
    assert of(history(lake, cluster="b"), "connections", "cluster") == [(1, "b")]


@pytest.mark.parametrize(
    "days, tick_s", [(0.001, 60), (2, 60), (3, 300), (10, 300), (30, 900), (90, 3600), (365, 6 * 3600), (9999, 86400)]
)
def test_a_tick_is_as_short_as_the_window_allows(days: float, tick_s: int) -> None:
    assert Window(NOON, NOON + timedelta(days=days)).tick_s == tick_s
