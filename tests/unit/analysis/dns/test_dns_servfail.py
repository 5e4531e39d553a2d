"""A zone that fails is told with the upstream that lets it down; a failure in a thousand, or of odd types, is not critical."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dns.edns
import pytest

from analysis.dns.doctor import examine
from analysis.dns.extended_errors import purpose
from analysis.dns.finding import Context, Finding, Severity
from analysis.dns.servfail import common_suffix
from tests.support.lake import HOSTILE
from tests.support.names import COREDNS, UPSTREAM, make_names, transaction, unanswered

Row = dict[str, Any]


def found(folder: Path, dns: list[Row]) -> Sequence[Finding]:
    return examine(make_names(folder, dns=dns), {}, Context(), ["servfail"]).findings


def failed(count: int, first: int = 0, name: str = "erp.legacy.example", **more: Any) -> list[Row]:
    more = {"rcode": "SERVFAIL", "registered_domain": "legacy.example", "latency_us": 2_000_000} | more
    return [transaction(first + number, name, **more) for number in range(count)]


def fine(count: int, first: int = 5000, name: str = "www.legacy.example", domain: str = "legacy.example") -> list[Row]:
    return [transaction(first + number, name, registered_domain=domain) for number in range(count)]


def asked_upstream(count: int, make: Any, **more: Any) -> list[Row]:
    ends = {"client": COREDNS, "server": UPSTREAM, "registered_domain": "legacy.example"}
    return [make(8000 + number, "erp.legacy.example", **ends | more) for number in range(count)]


@pytest.mark.parametrize(
    "upstream, told, fix",
    [
        (asked_upstream(4, unanswered), "203.0.113.53 never answered 4 of 4 queries", "203.0.113.53 does not answer"),
        (
            asked_upstream(4, transaction, rcode="REFUSED"),
            "203.0.113.53 refused 4 of 4 queries",
            "203.0.113.53 refuses",
        ),
        (
            asked_upstream(4, transaction, rcode="SERVFAIL"),
            "answered 4 of 4 queries with an error itself",
            "delegation",
        ),
        (asked_upstream(4, transaction), "203.0.113.53 answered all of 4 queries", "the cluster's own server fails"),
        (
            [],
            "asked by shop/api.",
            "No query to an upstream was seen: look at the log and the configuration of kube-system/c",
        ),
    ],
    ids=["silent", "refusing", "failing", "well", "not seen"],
)
def test_the_upstream_is_told_with_what_it_does(tmp_path: Path, upstream: list[Row], told: str, fix: str) -> None:
    (finding,) = found(tmp_path, failed(12) + fine(88, name="www.shop.example", domain="shop.example") + upstream)
    assert (finding.subject, finding.severity) == ("legacy.example", Severity.CRITICAL)
    assert (finding.queries, finding.waited_us) == (12, 24_000_000)
    assert "12 of 12 transactions (100 %) failed (12 SERVFAIL) for erp.legacy.example" in finding.says
    assert told in finding.says
    assert fix in finding.fix
    assert finding.look == {"domain": "*legacy.example", "rcode": "SERVFAIL"}


def test_the_worst_of_several_upstreams_is_blamed(tmp_path: Path) -> None:
    other = {"ip": "203.0.113.54", "kind": "external"}
    upstreams = asked_upstream(4, transaction) + [
        row | {"transaction_id": f"o{n}"} for n, row in enumerate(asked_upstream(2, unanswered, server=other))
    ]
    (finding,) = found(tmp_path, failed(12) + upstreams)
    assert "The upstream 203.0.113.54 never answered 2 of 2 queries" in finding.says


def test_names_that_fail_are_put_together_by_their_common_end(tmp_path: Path) -> None:
    rows = failed(3, 100, "crm.emea.legacy.example") + failed(3, 200, "hr.emea.legacy.example", edns_error=22)
    (finding,) = found(tmp_path, rows + fine(4))
    assert finding.subject == "emea.legacy.example"
    assert "2 names like crm.emea.legacy.example" in finding.says
    assert "The reason given: no reachable authority." in finding.says


def test_names_that_nobody_registered_are_told_by_their_last_labels(tmp_path: Path) -> None:
    names = ("a.shop.svc.cluster.local", "b.shop.svc.cluster.local", "printer.corp.lan", "disk.corp.lan")
    rows = [row for n, name in enumerate(names) for row in failed(5 + n, n * 100, name, registered_domain=None)]
    subjects = [(finding.subject, finding.queries) for finding in found(tmp_path, rows)]
    assert subjects == [("corp.lan", 15), ("shop.svc.cluster.local", 11)]


@pytest.mark.parametrize(
    "rows",
    [
        failed(4) + fine(4),
        failed(9) + fine(991),
        failed(9, rcode="NXDOMAIN"),
        asked_upstream(9, transaction, rcode="SERVFAIL"),
        failed(9, outcome="unsolicited", attempts=0),
        [],
    ],
    ids=["one call", "nine of a thousand", "no such name", "only upstream", "unsolicited", "nothing"],
)
def test_silent_where_nobody_feels_it(tmp_path: Path, rows: list[Row]) -> None:
    assert found(tmp_path, rows) == []


@pytest.mark.parametrize("more", [{"qtype": "HTTPS", "rcode": "NOTIMP"}, {}], ids=["an odd type", "one of twenty"])
def test_what_callers_hardly_feel_is_a_warning(tmp_path: Path, more: Row) -> None:
    (finding,) = found(tmp_path, failed(5, **more) + fine(95))
    assert finding.severity == Severity.WARNING


@pytest.mark.parametrize("count, severity", [(9, Severity.WARNING), (10, Severity.CRITICAL)])
def test_a_few_calls_of_a_name_that_hardly_anybody_asks_for_are_a_warning(
    tmp_path: Path, count: int, severity: Severity
) -> None:
    (finding,) = found(tmp_path, failed(count) + fine(10))
    assert finding.severity is severity


def test_a_namespace_and_a_workload_choose_the_clients(tmp_path: Path) -> None:
    lake = make_names(tmp_path, dns=failed(5) + asked_upstream(4, unanswered))
    assert examine(lake, {"namespace": "other"}, Context(), ["servfail"]).findings == []
    (finding,) = examine(lake, {"namespace": "shop", "workload": "api"}, Context(), ["servfail"]).findings
    assert "never answered 4 of 4" in finding.says


def test_others_are_not_counted_and_the_upstream_is_whoever_asks(tmp_path: Path) -> None:
    other = [row | {"client_namespace": "other"} for row in fine(50)]
    lake = make_names(tmp_path, dns=failed(5) + fine(3, 6000) + other + asked_upstream(4, unanswered))
    (finding,) = examine(lake, {"namespace": "shop"}, Context(), ["servfail"]).findings
    told = [finding.evidence[figure] for figure in ("transactions", "upstream_transactions", "upstream_unanswered")]
    assert told == [8, 4, 4]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_data(tmp_path: Path, name: str) -> None:
    (finding,) = found(tmp_path, failed(5, name=name, registered_domain=None))
    assert finding.evidence["example"] == name
    assert name in finding.says


@pytest.mark.parametrize(
    "first, last, common",
    [("a.b.c", "x.b.c", "b.c"), ("a.b", "a.b", "a.b"), ("ab.c", "b.c", "c"), ("a", "b", ""), ("b.c", "a.b.c", "b.c")],
)
def test_a_common_suffix_ends_at_a_label(first: str, last: str, common: str) -> None:
    assert common_suffix(first, last) == common


@pytest.mark.parametrize("code", [*range(31), 65535])
def test_extended_errors_are_those_of_the_registry(code: int) -> None:
    """dnspython knows the registry as well."""
    known = dns.edns.EDECode.__members__.values()
    expected = {int(one): one.name.replace("_", " ").lower() for one in known}
    written = purpose(code).lower()
    assert written == expected.get(code, f"extended error {code}")
