"""What the doctor knows of a cluster: its domain, its Services, what is behind them, and those that are gone."""

from datetime import timedelta
from pathlib import Path

import pytest

from analysis.dns.finding import Context, Service
from analysis.dns.services import read_context
from store.lake import Lake
from tests.support.kubernetes_objects import READ, Row, endpoints, kubernetes_object, service
from tests.support.names import make_names, resolution


def context_of(folder: Path, *objects: Row, **more: str) -> Context:
    return read_context(make_names(folder, objects=list(objects)), more)


def test_services_have_what_their_slices_tell(tmp_path: Path) -> None:
    context = context_of(
        tmp_path,
        service("shop", "api", "10.96.0.10"),
        endpoints("shop", "api", True, False, None),
        service("shop", "redis"),
        endpoints("shop", "redis"),
        service("payments", "api", "10.96.0.11"),
    )
    assert context.services == (
        Service("payments", "api", None, None, ("10.96.0.11",), (80,)),
        Service("shop", "api", 2, 1, ("10.96.0.10",), (80,)),
        Service("shop", "redis", 0, 0, (), (80,)),
    )
    assert context.read == READ


def test_an_endpoint_of_two_families_is_one(tmp_path: Path) -> None:
    slices = [endpoints("shop", "api", True, False, family=family) for family in ("IPv4", "IPv6")]
    (found,) = context_of(tmp_path, service("shop", "api"), *slices).services or ()
    assert (found.ready, found.unready) == (1, 1)


def test_the_newest_reading_counts_and_what_it_lacks_is_gone(tmp_path: Path) -> None:
    first, second = READ - timedelta(hours=2), READ - timedelta(hours=1)
    context = context_of(
        tmp_path,
        *(service("shop", name, seen_time=first) for name in ("api", "cart", "old")),
        *(service("shop", name, seen_time=second) for name in ("api", "cart")),
        service("shop", "api"),
        endpoints("shop", "api", True, seen_time=first),
        endpoints("shop", "api", False),
    )
    assert [(str(one), one.ready, one.unready) for one in context.services or ()] == [("shop/api", 0, 1)]
    assert context.gone == {("shop", "cart"): second, ("shop", "old"): first}


@pytest.mark.parametrize(
    "objects",
    [
        [],
        [kubernetes_object("Namespace", "shop", "shop", {})],
        [service("shop", "api", cluster="east"), service("shop", "api", cluster="west")],
    ],
    ids=["no objects", "no Services", "two clusters"],
)
def test_services_are_unknown(tmp_path: Path, objects: list[Row]) -> None:
    context = context_of(tmp_path, *objects)
    assert (context.services, context.read, context.gone) == (None, None, {})


def test_one_of_two_clusters_can_be_named(tmp_path: Path) -> None:
    both = [service("shop", name, cluster=name) for name in ("east", "west")]
    assert [str(one) for one in context_of(tmp_path, *both, cluster="west").services or ()] == ["shop/west"]


def test_the_domain_is_that_of_most_names_that_answer(tmp_path: Path) -> None:
    suffixes = ["shop.svc.k8s.example", "svc.k8s.example", "."]
    asked = ["cart", "cart.shop", "cart.shop.svc.k8s.example"]
    rows = [
        resolution(number, name, answered_suffix=suffix)
        for number, (name, suffix) in enumerate(zip(asked, suffixes, strict=True))
    ]
    rows += [resolution(3 + number, "a.svc.evil.example") for number in range(2)]
    rows += [
        resolution(5 + number, "a.svc.lost.example", outcome="nxdomain", answered_suffix=None) for number in range(4)
    ]
    assert read_context(make_names(tmp_path, resolutions=rows)).cluster_domain == "k8s.example"


def test_the_domain_of_a_lake_without_names_is_the_usual_one(tmp_path: Path) -> None:
    assert read_context(Lake.create(tmp_path)).cluster_domain == "cluster.local"
