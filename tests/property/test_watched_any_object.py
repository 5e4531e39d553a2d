"""Whatever an API server tells, an object is taken or refused, and what is known of the others stays readable."""

from copy import deepcopy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from enricher.watch.cluster import Cluster
from enricher.watch.resources import LISTED, WATCHED
from tests.unit.enricher.cluster import Object, at, endpoints, node, pod, port, service

RESOURCES = (*WATCHED, *LISTED)
BASE = (
    pod("a", "10.1.0.1", owner=("ReplicaSet", "web-7d9c"), finished=1, phase="Succeeded"),
    node("n1", "192.168.0.1", "10.1.0.0/24"),
    service("web", "10.96.0.1", port(80)),
    endpoints("web", [port(8080)], pod("a", "10.1.0.1")),
    {"kind": "ReplicaSet", "metadata": {"name": "web-7d9c", "namespace": "shop", "uid": "r"}},
    {"kind": "IPPool", "metadata": {"name": "pool", "uid": "i"}, "spec": {"cidr": "10.244.0.0/16"}},
)
texts = st.text(st.characters(), max_size=4) | st.sampled_from(
    ["10.1.0.1", "0.0.0.0/0", "\ud800", "2026-11-01T06:00:00Z"]
)
leaves = st.none() | st.booleans() | st.integers() | st.floats() | texts
values = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3))


@st.composite
def spoilt(draw: st.DrawFn) -> Object:
    """One object with something else at a place or two."""
    one = deepcopy(draw(st.sampled_from(BASE)))
    for _ in range(draw(st.integers(1, 2))):
        at_place: Any = one
        while True:
            keys = [key for key in at_place if key != "kind"] if isinstance(at_place, dict) else range(len(at_place))
            key = draw(st.sampled_from(list(keys)))
            if not isinstance(at_place[key], dict | list) or not at_place[key] or draw(st.booleans()):
                at_place[key] = draw(values)
                break
            at_place = at_place[key]
    return one


@given(st.lists(spoilt(), max_size=4), st.booleans())
def test_any_object_is_taken_or_refused(listed: list[Object], are_ended: bool) -> None:
    cluster = Cluster("test")
    for one in (*listed, *BASE):
        resource = next(resource for resource in RESOURCES if resource.kind == one["kind"])
        told = one.get("apiVersion")
        if one not in BASE and are_ended:
            cluster.end(resource, told, one, at(1))
        else:
            cluster.put(resource, told, one, at(1))
    names = cluster.snapshot(at(2)).assignments["name"].to_pylist()
    assert {"a", "n1", "web"} <= set(names)
    drained = cluster.drain(at(2))
    assert drained.assignments.num_rows
    assert drained.objects.num_rows >= len(BASE)
