"""A server is compared with its siblings: slower by a factor and by what is felt, or with three times the load."""

from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

from analysis.dns.doctor import examine
from analysis.dns.finding import Context, Finding, Severity
from analysis.dns.slow_replica import median_us
from analysis.questions import ask
from tests.support.names import COREDNS, make_names, outside, pod, transaction

Row = dict[str, Any]
SECOND = pod("coredns", "10.244.2.2", "kube-system", 1, node="node-2")
THIRD = pod("coredns", "10.244.3.2", "kube-system", 2, node="node-3")


def found(folder: Path, dns: list[Row]) -> Sequence[Finding]:
    return examine(make_names(folder, dns=dns), {}, Context(), ["slow_replica"]).findings


def answers(count: int, first: int, server: Row, latency_us: int = 700, **more: Any) -> list[Row]:
    return [transaction(first + n, "a.example", server=server, latency_us=latency_us, **more) for n in range(count)]


def test_a_slow_one_is_told_against_its_siblings(tmp_path: Path) -> None:
    rows = answers(60, 0, COREDNS) + answers(60, 1000, THIRD) + answers(40, 2000, SECOND, 40_000)
    (finding,) = found(tmp_path, rows)
    assert (finding.severity, finding.subject) == (Severity.WARNING, "kube-system/coredns-1")
    assert finding.evidence["median_us"] == 40_000
    assert finding.evidence["other_median_us"] == 700
    assert (finding.queries, finding.waited_us) == (40, 40 * (40_000 - 700))
    assert "takes 40 ms by itself, its siblings of kube-system/coredns 700 µs" in finding.says
    assert "It answers 25 % of all that 3 servers of kube-system/coredns answer." in finding.says
    assert "(node-2)" in finding.fix


def test_a_pod_of_a_service_is_compared_where_its_workload_is_not_known(tmp_path: Path) -> None:
    of_nobody = {"server_workload": None, "server_workload_kind": None}
    served = of_nobody | {"service_namespace": "kube-system", "service": "kube-dns"}
    rows = answers(60, 0, COREDNS, **served) + answers(40, 2000, SECOND, 40_000, **served)
    (finding,) = found(tmp_path / "served", rows)
    assert finding.evidence["siblings"] == "kube-system/kube-dns"
    alone = answers(60, 0, COREDNS, **of_nobody) + answers(40, 2000, SECOND, 40_000, **of_nobody)
    assert not found(tmp_path / "alone", alone)


def test_stalls_of_seconds_are_critical(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, answers(60, 0, COREDNS) + answers(40, 2000, SECOND, 2_000_000))
    assert finding.severity == Severity.CRITICAL


def test_a_busy_one_is_worth_knowing(tmp_path: Path) -> None:
    rows = answers(1200, 0, COREDNS) + answers(300, 2000, SECOND) + answers(300, 3000, THIRD)
    (finding,) = found(tmp_path, rows)
    assert (finding.severity, finding.subject, finding.waited_us) == (Severity.INFO, "kube-system/coredns-0", 0)
    assert "It answers 66.7 % of all that 3 servers" in finding.says


@pytest.mark.parametrize(
    "rows",
    [
        answers(60, 0, COREDNS) + answers(29, 2000, SECOND, 40_000),
        answers(60, 0, COREDNS, 40_000),
        answers(60, 0, COREDNS, 200) + answers(60, 2000, SECOND, 3000),
        answers(60, 0, COREDNS, 20_000) + answers(60, 2000, SECOND, 40_000),
        answers(60, 0, COREDNS) + answers(60, 2000, SECOND, 40_700, upstream_us=40_000),
        answers(60, 0, COREDNS) + answers(60, 2000, outside("203.0.113.53"), 40_000),
        answers(60, 0, COREDNS) + answers(60, 2000, SECOND, 5_000_000, attempts=2),
        answers(900, 0, COREDNS) + answers(200, 2000, SECOND),
        [],
    ],
    ids=["few", "alone", "not felt", "twice", "its upstreams", "no sibling", "lost", "few to do", "nothing"],
)
def test_silent_where_nobody_feels_it(tmp_path: Path, rows: list[Row]) -> None:
    assert found(tmp_path, rows) == []


def test_a_median_of_powers_of_two_lies_within_a_factor_of_two() -> None:
    random = Random(5)
    for _ in range(200):
        seen = [int(10 ** random.uniform(2, 6)) for _ in range(random.randint(1, 99))]
        exponents = [one.bit_length() - 1 for one in seen]
        rows = [
            {
                "exponent": e,
                "transactions": exponents.count(e),
                "total_us": sum(one for one, exponent in zip(seen, exponents, strict=True) if exponent == e),
            }
            for e in set(exponents)
        ]
        exact = sorted(seen)[(len(seen) - 1) // 2]
        assert exact / 2 <= median_us(rows) <= exact * 2


def test_the_split_of_latency_adds_up_by_leg(tmp_path: Path) -> None:
    waited = answers(5, 0, COREDNS, 150_500, upstream_us=150_000, answered_from="upstream")
    lake = make_names(tmp_path, dns=waited + answers(7, 100, COREDNS, 300) + answers(3, 200, SECOND, 300))
    rows = ask(lake, "dns/latency_split").table.to_pylist()
    first, second = "kube-system/coredns-0", "kube-system/coredns-1"
    assert [tuple(row[name] for name in ("server", "leg", "from_us", "transactions")) for row in rows] == [
        (first, "client", 256, 7),
        (first, "client", 131_072, 5),
        (first, "server", 256, 12),
        (first, "upstream", 131_072, 5),
        (second, "client", 256, 3),
        (second, "server", 256, 3),
    ]
