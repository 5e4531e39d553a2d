"""A zone is told where waiting for its upstream is what costs, with the share that the cache answers."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from analysis.dns.doctor import examine
from analysis.dns.finding import Context, Finding, Severity
from tests.support.lake import HOSTILE
from tests.support.names import COREDNS, UPSTREAM, make_names, transaction

Row = dict[str, Any]
NAME, ZONE = "api.far.example", "far.example"


def found(folder: Path, dns: list[Row]) -> Sequence[Finding]:
    return examine(make_names(folder, dns=dns), {}, Context(), ["slow_upstream"]).findings


def waited(count: int, first: int = 0, upstream_us: int = 150_000, own_us: int = 500, **more: Any) -> list[Row]:
    told = {"registered_domain": ZONE, "answered_from": "upstream", "upstream_us": upstream_us}
    told |= {"qname": NAME, "latency_us": upstream_us + own_us} | more
    return [transaction(first + number, **told) for number in range(count)]


def cached(count: int, first: int = 3000) -> list[Row]:
    return [
        transaction(first + n, NAME, registered_domain=ZONE, answered_from="cache", latency_us=300)
        for n in range(count)
    ]


def legs(count: int, server: Row = UPSTREAM, first: int = 6000) -> list[Row]:
    told = {"registered_domain": ZONE, "client": COREDNS, "server": server, "latency_us": 149_000}
    return [transaction(first + n, NAME, **told) for n in range(count)]


def test_the_wait_is_split_and_the_cache_counted(tmp_path: Path) -> None:
    near = {"ip": "203.0.113.99", "kind": "external"}
    (finding,) = found(tmp_path, waited(10) + cached(30) + legs(10) + legs(2, near, 7000))
    assert (finding.severity, finding.subject) == (Severity.WARNING, f"{ZONE} at kube-system/coredns")
    assert (finding.queries, finding.waited_us) == (10, 1_500_000)
    assert finding.says == (
        "kube-system/coredns waits 150 ms for 203.0.113.53 (150 ms at worst) and takes 500 µs itself. "
        "Of 40 answers, 30 (75 %) came from its cache."
    )
    assert finding.effect == "Each answer from the cache takes 300 µs, not 150 ms."
    figures = ("from_upstream", "from_cache", "upstream_transactions", "p50_leg_us")
    assert [finding.evidence[name] for name in figures] == [10, 30, 10, 149_000]


def test_zones_are_told_apart(tmp_path: Path) -> None:
    other = waited(20, 4000, qname="x.other.example", registered_domain="other.example")
    subjects = [finding.subject for finding in found(tmp_path, waited(10) + other)]
    assert subjects == ["other.example at kube-system/coredns", f"{ZONE} at kube-system/coredns"]


@pytest.mark.parametrize(
    "rows",
    [
        waited(4),
        waited(50, upstream_us=40_000),
        waited(10, own_us=151_000),
        waited(10, rcode="SERVFAIL"),
        [row | {"answered_from": None, "upstream_us": None} for row in waited(10)],
        cached(100),
        legs(100),
        [],
    ],
    ids=["few", "usual recursion", "the server itself", "failed", "not seen", "cached", "only upstream", "nothing"],
)
def test_silent_where_the_upstream_is_not_what_costs(tmp_path: Path, rows: list[Row]) -> None:
    assert found(tmp_path, rows) == []


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_data(tmp_path: Path, name: str) -> None:
    (finding,) = found(tmp_path, waited(10, qname=name, registered_domain=None))
    assert (finding.subject, finding.look) == (f"{name} and others at kube-system/coredns", {"domain": name})
