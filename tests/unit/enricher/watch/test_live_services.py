"""Services and endpoints as events tell them, and the samples' clusters put object by object."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from enricher.directory import Directory
from enricher.kubernetes import read_dump
from enricher.watch import backends
from enricher.watch.backends import GRACE
from enricher.watch.cluster import Cluster
from enricher.watch.resources import LISTED, WATCHED, Resource
from tests.unit.enricher.cluster import Object, at, endpoints, pod, port, service

SAMPLES = Path(__file__).parents[4] / "samples"
OVER = GRACE.total_seconds() + 1
A, B = pod("a", "10.1.0.1"), pod("b", "10.1.0.2")
WEB = service("web", "10.96.0.1", port(80, node_port=30080))


def resource(kind: str) -> Resource:
    return next(one for one in (*WATCHED, *LISTED) if one.kind == kind)


def made(*objects: Object, now: float = 0) -> Cluster:
    cluster = Cluster("test")
    put(cluster, *objects, now=now)
    return cluster


def put(cluster: Cluster, *objects: Object, now: float = 0) -> None:
    for one in objects:
        assert cluster.put(resource(one["kind"]), one.get("apiVersion"), one, at(now)), cluster.fault


def behind(directory: Directory) -> list[tuple[str, str, bool]]:
    ports = directory.ports.to_pylist()
    return [(ports[e["port_id"]]["service"], e["ip"], e["ready"]) for e in directory.endpoints.to_pylist()]


def fronts(directory: Directory) -> list[tuple[str, int, str]]:
    ports = directory.ports.to_pylist()
    return [
        (ports[front["port_id"]]["service"], ports[front["port_id"]]["port"], front["ip"])
        for front in directory.fronts.to_pylist()
    ]


def test_endpoint_that_went_away_is_known_for_a_while_and_not_ready() -> None:
    cluster = made(WEB, endpoints("web", [port(8080)], A, B))
    put(cluster, endpoints("web", [port(8080)], B), now=1)
    assert behind(cluster.snapshot(at(2))) == [("web", "10.1.0.2", True), ("web", "10.1.0.1", False)]
    assert behind(cluster.snapshot(at(1 + OVER))) == [("web", "10.1.0.2", True)]


def test_slice_and_service_that_were_deleted_are_known_for_a_while() -> None:
    cluster = made(WEB, endpoints("web", [port(8080)], A))
    cluster.drop(resource("EndpointSlice"), "uid-web-slice", at(1))
    cluster.drop(resource("Service"), "uid-web", at(1))
    seen = cluster.snapshot(at(2))
    assert behind(seen) == [("web", "10.1.0.1", False)]
    assert fronts(seen) == [("web", 80, "10.96.0.1")]
    (held,) = seen.assignments.to_pylist()
    assert held["until_time"] == at(1)
    later = cluster.snapshot(at(1 + OVER))
    assert later.ports.num_rows == later.fronts.num_rows == later.endpoints.num_rows == 0


def test_service_that_came_again_stays() -> None:
    cluster = made(WEB)
    cluster.drop(resource("Service"), "uid-web", at(1))
    again = service("web", "10.96.0.2", port(80))
    again["metadata"]["uid"] = "other"
    put(cluster, again, now=2)
    assert fronts(cluster.snapshot(at(2 + OVER))) == [("web", 80, "10.96.0.2")]


def test_slice_that_comes_before_its_service() -> None:
    cluster = made(endpoints("web", [port(8080)], A))
    assert behind(cluster.snapshot(at(0))) == []
    put(cluster, WEB)
    assert behind(cluster.snapshot(at(0))) == [("web", "10.1.0.1", True)]


def test_slice_that_changes_its_service() -> None:
    cluster = made(WEB, service("api", "10.96.0.2", port(80)), endpoints("web", [port(8080)], A))
    moved = endpoints("web", [port(8080)], A)
    moved["metadata"]["labels"] = {"kubernetes.io/service-name": "api"}
    put(cluster, moved, now=1)
    assert set(behind(cluster.snapshot(at(2)))) == {("api", "10.1.0.1", True), ("web", "10.1.0.1", False)}


def test_service_that_makes_no_sense_takes_no_other_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backends, "GROUPS", 1)
    cluster = made(WEB, service("bad", "10.96.0.2", {"name": "without a number"}))
    assert fronts(cluster.snapshot(at(0))) == [("web", 80, "10.96.0.1")]
    assert cluster.counts()["services_refused"] == 1


def test_service_nested_deeper_than_can_be_read_again_takes_no_other_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """How deep JSON is read depends on how deep the reader stands."""
    monkeypatch.setattr(backends, "GROUPS", 1)
    nested: list[Any] = []
    for _ in range(600):
        nested = [nested]
    deep = service("deep", "10.96.0.2", port(81))
    deep["spec"]["selector"] = {"app": nested}
    cluster = made(WEB, deep)
    assert ("web", 80, "10.96.0.1") in fronts(below(350, lambda: cluster.snapshot(at(0))))


def below(frames: int, call: Callable[[], Directory]) -> Directory:
    return below(frames - 1, call) if frames else call()


@pytest.mark.parametrize("listed", [[{"addresses": ["no address"]}], [7], {"a": 1}])
def test_slice_that_makes_no_sense_is_refused_and_the_last_one_stays(listed: Any) -> None:
    cluster = made(WEB, endpoints("web", [port(8080)], A))
    wrong = endpoints("web", [port(8080)], A) | {"endpoints": listed}
    assert cluster.put(resource("EndpointSlice"), None, wrong, at(1)) is None
    assert cluster.counts()["objects_refused"] == 1
    assert behind(cluster.snapshot(at(2))) == [("web", "10.1.0.1", True)]


def test_endpoints_that_are_gone_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backends, "MOST_GONE", 2)
    cluster = made(WEB)
    for number in range(5):
        put(cluster, endpoints("web", [port(8080)], pod("p", f"10.1.0.{number}")), now=number)
    assert behind(cluster.snapshot(at(5))) == [
        ("web", "10.1.0.4", True),
        ("web", "10.1.0.2", False),
        ("web", "10.1.0.3", False),
    ]
    assert cluster.counts()["endpoints_forgotten"] == 2


@pytest.mark.parametrize("sample", ["shop", "resolvers"])
def test_objects_put_one_by_one_tell_what_their_dump_tells(sample: str) -> None:
    path = SAMPLES / sample / "objects.json"
    dumped = read_dump(path, "test")
    kinds = {one.kind for one in (*WATCHED, *LISTED)}
    objects = [one for one in json.loads(path.read_text())["items"] if one["kind"] in kinds]
    last = max(row["until_time"] or row["from_time"] for row in dumped.assignments.to_pylist())
    cluster = Cluster("test")
    for one in objects:
        assert cluster.put(resource(one["kind"]), one.get("apiVersion"), one, last), cluster.fault
    seen = cluster.snapshot(last)
    order = [("ip", "ascending"), ("from_time", "ascending"), ("uid", "ascending")]
    assert seen.assignments.sort_by(order).to_pylist() == dumped.assignments.to_pylist()
    assert sorted(map(repr, behind(seen))) == sorted(map(repr, behind(dumped)))
    assert sorted(fronts(seen)) == sorted(fronts(dumped))
    assert seen.ranges == dumped.ranges
    reading = {
        (row["kind"], row["namespace"], row["name"], row["document"]) for row in cluster.drain(last).objects.to_pylist()
    }
    assert reading == {(r["kind"], r["namespace"], r["name"], r["document"]) for r in dumped.objects.to_pylist()}
