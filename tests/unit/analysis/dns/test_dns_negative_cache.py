"""Names that do not exist, and what of them goes upstream."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from analysis.dns.doctor import examine
from analysis.dns.finding import Context, Finding, Severity
from store.lake import Lake
from tests.support.lake import HOSTILE
from tests.support.names import COREDNS, NOON, UPSTREAM, Row, make_names, outside, pod, transaction

NAME = "old-host.partner.example"


def missing(count: int, qname: str = NAME, seconds: float = 10, first: int = 0, **more: Any) -> list[Row]:
    told = {"rcode": "NXDOMAIN", "negative_ttl": 5, "answered_from": "upstream", "registered_domain": "partner.example"}
    told |= {"latency_us": 20_000}
    return [
        transaction(first + i, qname, start_time=NOON + timedelta(seconds=i * seconds), **told | more)
        for i in range(count)
    ]


def found(folder: Path, *rows: Row) -> list[Finding]:
    lake = make_names(folder / "lake", dns=list(rows))
    return list(examine(lake, {}, Context(), ["negative_cache"]).findings)


def test_a_missing_name_that_goes_upstream_each_time(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, *missing(20), *missing(20, first=100, qtype="AAAA"))
    assert (finding.subject, finding.severity) == (f"shop/api: {NAME}", Severity.WARNING)
    assert finding.says == (
        "The name does not exist. 40 of 40 answers that say so came from upstream, not from a cache: they may be kept for"
        " 5 s. Each took 20 ms."
    )
    assert "`denial 9984 1800 30`" in finding.fix
    # Both types are asked for at 0, 10, …, 190 s: with 30 s only those at 0, 30, …, 180 s go upstream.
    assert finding.effect == (
        "Remembered for 30 s, one server would ask upstream 14 times instead of 40, and clients would wait 520 ms less."
    )
    assert (finding.queries, finding.waited_us) == (40, 800_000)
    assert finding.look == {"from_namespace": "shop", "from_workload": "api", "domain": NAME, "rcode": "NXDOMAIN"}


def test_an_answer_that_nobody_may_keep(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, *missing(20, negative_ttl=None))
    assert "they have no SOA, without which nobody may keep them (RFC 2308 §5)" in finding.says
    assert finding.fix.endswith("Its name server should send its SOA with such answers.")


def test_a_type_that_is_missing(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, *missing(20, rcode="NOERROR", qtype="SRV"))
    assert finding.says.startswith("The name has no SRV. 20 of 20")


@pytest.mark.parametrize("ttl, findings", [(5, 1), (9, 1), (10, 0), (60, 0)])
def test_what_the_server_asks_was_not_seen(tmp_path: Path, ttl: int, findings: int) -> None:
    """Then a time between that is longer than the answer may be kept for tells it."""
    assert len(found(tmp_path, *missing(20, answered_from=None, negative_ttl=ttl))) == findings


def test_what_others_ask_counts_for_whom_one_looks_at(tmp_path: Path) -> None:
    """The answer is kept for 12 s, and asked for every 10 s by both together: a cache may have it."""
    cart = pod("cart", "10.244.1.77")
    rows = missing(20, answered_from=None, negative_ttl=12, seconds=20)
    rows += missing(20, answered_from=None, negative_ttl=12, seconds=20, first=100, client=cart)
    lake = make_names(tmp_path / "lake", dns=rows)
    assert examine(lake, {"namespace": "shop", "workload": "cart"}, Context(), ["negative_cache"]).findings == []
    alone = make_names(tmp_path / "alone", dns=rows[:20])
    assert len(examine(alone, {"namespace": "shop", "workload": "api"}, Context(), ["negative_cache"]).findings) == 1
    assert examine(alone, {"namespace": "shop", "workload": "cart"}, Context(), ["negative_cache"]).findings == []


def test_silent_where_a_cache_answers(tmp_path: Path) -> None:
    cached = missing(200, answered_from="cache", seconds=0.1)
    first = missing(2, first=900)
    assert found(tmp_path, *cached, *first) == []


def test_silent_on_what_is_normal(tmp_path: Path) -> None:
    zone = missing(50, "x.shop.svc.cluster.local", answered_from="zone", registered_domain=None)
    unseen = missing(50, "y.shop.svc.cluster.local", answered_from=None, registered_domain=None, first=100)
    only_ipv4 = missing(50, "v4.partner.example", rcode="NOERROR", qtype="AAAA", first=200)
    seldom = missing(50, "seldom.partner.example", seconds=60, first=300)
    few = missing(9, "few.partner.example", first=400)
    forwarded = missing(50, "z.partner.example", client=COREDNS, server=UPSTREAM, first=500)
    assert found(tmp_path, *zone, *unseen, *only_ipv4, *seldom, *few, *forwarded) == []


def test_names_are_data(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, *missing(20, HOSTILE[1], client=outside("192.0.2.7")))
    assert finding.subject == f"192.0.2.7: {HOSTILE[1]}"
    assert finding.look["from_ip"] == "192.0.2.7"


def test_an_empty_lake(tmp_path: Path) -> None:
    assert examine(Lake.create(tmp_path / "lake"), {}, Context(), ["negative_cache"]).findings == []
