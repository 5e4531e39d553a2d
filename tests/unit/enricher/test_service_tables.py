"""Ports, addresses and endpoints of Services."""

from pathlib import Path

from enricher.directory import Directory
from tests.unit.enricher.cluster import Object, directory, endpoints, pod, port, service

CONTAINERS = [{"ports": [{"name": "http", "containerPort": 8080}]}]


def behind(read: Directory) -> list[tuple[str, str, int, bool]]:
    ports = read.ports.to_pylist()
    return [(ports[e["port_id"]]["port_name"], e["ip"], e["port"], e["ready"]) for e in read.endpoints.to_pylist()]


def test_slices_are_matched_by_port_name_and_protocol(tmp_path: Path) -> None:
    a = pod("a", "10.1.0.1")
    dns = service("dns", "10.96.0.10", port(53, "dns", "UDP"), port(53, "dns-tcp"), port(9153, "metrics"))
    listed = [port(53, "dns", "UDP"), port(1053, "dns-tcp"), port(99, "other")]
    read = directory(tmp_path, a, dns, endpoints("dns", listed, a))
    assert behind(read) == [("dns", "10.1.0.1", 53, True), ("dns-tcp", "10.1.0.1", 1053, True)]


def test_unnamed_port_and_unready_endpoint(tmp_path: Path) -> None:
    a = pod("a", "10.1.0.1")
    read = directory(
        tmp_path, a, service("web", "10.96.0.1", port(80)), endpoints("web", [port(8080, "")], a, ready=False)
    )
    assert behind(read) == [(None, "10.1.0.1", 8080, False)]


def test_slice_of_host_names_is_left_out(tmp_path: Path) -> None:
    named: Object = endpoints("web", [port(80)])
    named |= {"addressType": "FQDN", "endpoints": [{"addresses": ["example.com"]}]}
    assert behind(directory(tmp_path, service("web", "10.96.0.1", port(80)), named)) == []


def test_without_slices_the_selector_tells_the_endpoints(tmp_path: Path) -> None:
    ready = [{"type": "Ready", "status": "True"}]
    chosen = pod("a", "10.1.0.1", labels={"app": "web", "tier": "front"}, containers=CONTAINERS)
    chosen["status"]["conditions"] = ready
    unready = pod("b", "10.1.0.2", labels={"app": "web"}, containers=CONTAINERS)
    unnamed = pod("c", "10.1.0.3", labels={"app": "web"})
    elsewhere = pod("d", "10.1.0.4", labels={"app": "web"}, namespace="other")
    done = pod("e", "10.1.0.5", labels={"app": "web"}, phase="Succeeded", finished=1)
    ports = [port(80, "named", targetPort="http"), port(81, "number", targetPort=9000), port(82, "same")]
    web = service("web", "10.96.0.1", *ports, selector={"app": "web"})
    read = directory(tmp_path, chosen, unready, unnamed, elsewhere, done, web)
    assert behind(read) == [
        ("named", "10.1.0.1", 8080, True),
        ("named", "10.1.0.2", 8080, False),
        *[("number", f"10.1.0.{n}", 9000, n == 1) for n in (1, 2, 3)],
        *[("same", f"10.1.0.{n}", 82, n == 1) for n in (1, 2, 3)],
    ]


def test_service_without_selector_and_slices_has_no_endpoints(tmp_path: Path) -> None:
    assert behind(directory(tmp_path, pod("a", "10.1.0.1"), service("web", "10.96.0.1", port(80)))) == []
