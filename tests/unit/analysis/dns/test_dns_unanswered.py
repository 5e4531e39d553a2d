"""Lost queries are blamed on what sets them apart: a server, a node, a client, a zone, or the way that all share."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from analysis.dns.doctor import examine
from analysis.dns.examination import NOTHING_ASKED
from analysis.dns.finding import Context, Finding, Severity
from contract.tables import TABLES
from tests.support.lake import HOSTILE
from tests.support.names import NOON, make_names, pod, resolution, transaction, unanswered

SERVERS = [pod("coredns", f"10.244.{n}.2", "kube-system", n, node=f"node-{n}") for n in (1, 2)]
CLIENTS = [pod(name, f"10.244.{n}.1{n}", node=f"node-{n}") for name, n in (("api", 1), ("cart", 2), ("web", 2))]

Row = dict[str, Any]


def found(folder: Path, dns: list[Row], resolutions: Sequence[Row] = ()) -> Sequence[Finding]:
    lake = make_names(folder, dns=dns, resolutions=list(resolutions))
    return examine(lake, {}, Context(), ["unanswered"]).findings


def asked(is_lost: Any, each: int = 20) -> list[Row]:
    """Every client asks every server so many times for two names; which are never answered is told by their ends."""
    rows: list[Row] = []
    for client in CLIENTS:
        for server in SERVERS:
            for _ in range(each):
                number = len(rows)
                name = ("a.shop.svc.cluster.local", "b.shop.svc.cluster.local")[number % 2]
                make = unanswered if is_lost(number, client, server, name) else transaction
                rows.append(make(number, name, client=client, server=server))
    return rows


@pytest.mark.parametrize(
    "is_lost, subject, figures, told",
    [
        (
            lambda n, c, s, q: s["node"] == "node-2",
            "server kube-system/coredns-2",
            (60, 60, 60),
            "Other servers: 0 of 60",
        ),
        (lambda n, c, s, q: c["node"] == "node-2", "node node-2", (80, 80, 40), "Other nodes: 0 of 40"),
        (lambda n, c, s, q: c["workload"] == "cart" and n % 3 == 0, "client shop/cart", (13, 40, 80), "0 of 80"),
        (
            lambda n, c, s, q: q[0] == "b",
            "names under b.shop.svc.cluster.local",
            (60, 60, 60),
            "All other names: 0 of 60",
        ),
        (
            lambda n, c, s, q: q[0] == "b" and s["node"] == "node-2",
            "names under b.shop.svc.cluster.local at kube-system/coredns-2",
            (30, 30, 90),
            "All else: 0 of 90",
        ),
        (lambda n, c, s, q: n % 5 < 1, "the way to the name servers", (24, 120, 0), "none much worse than the others"),
    ],
)
def test_the_fault_is_what_sets_the_lost_apart(
    tmp_path: Path, is_lost: Any, subject: str, figures: tuple[int, int, int], told: str
) -> None:
    (finding,) = found(tmp_path, asked(is_lost))
    assert (finding.subject, finding.severity, finding.queries) == (subject, Severity.CRITICAL, figures[0])
    assert tuple(finding.evidence[name] for name in ("unanswered", "transactions", "other_transactions")) == figures
    assert told in finding.says


@pytest.mark.parametrize(
    "whose, subjects",
    [
        ({"namespace": "shop", "workload": "cart"}, ["client shop/cart"]),
        ({"workload": "cart"}, ["client shop/cart"]),
        ({"namespace": "shop"}, ["client shop/cart"]),
        ({"namespace": "shop", "workload": "api"}, []),
    ],
)
def test_whom_one_looks_at_changes_no_finding(tmp_path: Path, whose: Row, subjects: list[str]) -> None:
    """Nobody is set apart but from others; what is found is shown where it concerns those that are looked at."""
    lake = make_names(tmp_path, dns=asked(lambda n, c, s, q: c["workload"] == "cart"))
    of_all = examine(lake, {}, Context(), ["unanswered"]).findings
    narrowed = examine(lake, whose, Context(), ["unanswered"])
    assert [finding.subject for finding in narrowed.findings] == subjects
    assert list(narrowed.findings) == list(of_all)[: len(subjects)]
    assert [one.name for one in narrowed.silent] == ([] if subjects else ["unanswered"])


def test_a_client_of_that_name_elsewhere_is_not_found_to_be_well(tmp_path: Path) -> None:
    lake = make_names(tmp_path, dns=asked(lambda n, c, s, q: c["workload"] == "cart"))
    narrowed = examine(lake, {"namespace": "pay", "workload": "cart"}, Context(), ["unanswered"])
    assert (narrowed.findings, narrowed.silent) == ([], [])
    assert [one.why for one in narrowed.unjudged] == [NOTHING_ASKED]


def test_two_faults_at_once_are_two_findings(tmp_path: Path) -> None:
    def is_lost(number: int, client: Row, server: Row, name: str) -> bool:
        return server["node"] == "node-2" or (client["workload"] == "api" and number % 2 == 0)

    assert [finding.subject for finding in found(tmp_path, asked(is_lost))] == [
        "server kube-system/coredns-2",
        "client shop/api",
    ]


def test_a_client_on_a_node_of_its_own_is_named_with_its_node(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, asked(lambda n, c, s, q: c["workload"] == "api"))
    assert finding.subject == "client shop/api"
    assert "It cannot be told apart from node node-1." in finding.says


def test_waits_tell_the_ladder_of_the_resolver(tmp_path: Path) -> None:
    fine = [transaction(number, "a.shop.svc.cluster.local") for number in range(200)]
    late: list[Row] = []
    calls: list[Row] = []
    for number, wait_us in ((300, 2_501_000), (301, 5_002_000), (302, 5_003_000), (303, 10_004_000)):
        more = {"attempts": 2, "latency_us": wait_us, "client": CLIENTS[1]}
        late.append(transaction(number, "a.shop.svc.cluster.local", **more))
        calls.append(resolution(number, "a.shop", CLIENTS[1], duration_us=wait_us, retries=1, queries=3))
    (finding,) = found(tmp_path, fine + late, calls)
    ladder = {name: finding.evidence[name] for name in ("waits_1s", "waits_2_5s", "waits_5s", "waits_10s")}
    assert ladder == {"waits_1s": 0, "waits_2_5s": 1, "waits_5s": 2, "waits_10s": 1}
    assert (finding.waited_us, finding.evidence["answered_late"]) == (22_510_000, 4)
    assert "10.0 s at worst: 1 of 2.5 s (musl's first repeat" in finding.says
    assert "{name: timeout" in finding.fix


def test_a_call_that_asked_anew_waits_once(tmp_path: Path) -> None:
    """Go asks again from another socket: A and AAAA unanswered, then answered, are one call of five seconds."""
    name, call = "a.shop.svc.cluster.local", {"resolution_id": "r000900", "client": CLIENTS[1]}
    fine = [transaction(number, name) for number in range(200)]
    lost = [unanswered(900 + n, name, attempts=1, **call) for n in range(2)]
    again = [transaction(902 + n, name, start_time=NOON + timedelta(seconds=95), **call) for n in range(2)]
    (finding,) = found(tmp_path, fine + lost + again, [resolution(900, "a.shop", duration_us=5_001_000, retries=2)])
    figures = ("unanswered", "transactions", "calls", "waited_us", "waits_5s")
    assert [finding.evidence[figure] for figure in figures] == [2, 4, 1, 5_001_000, 1]


def test_silent_where_nothing_is_wrong(tmp_path: Path) -> None:
    name = "a.shop.svc.cluster.local"
    fine = [transaction(number, name) for number in range(3000)]
    usual = [unanswered(4000, name), unanswered(4001, "b.shop.svc.cluster.local", client=CLIENTS[1])]
    soon = [transaction(4100 + n, name, client=CLIENTS[2], attempts=2, latency_us=900) for n in range(9)]
    upstream = [unanswered(4200 + n, "x.example", client=SERVERS[0], forwarded=True) for n in range(9)]
    alone = [transaction(4300 + n, name, outcome="unsolicited", attempts=0) for n in range(9)]
    error = {"attempts": 2, "latency_us": 752_000, "rcode": "SERVFAIL"}
    failed = [transaction(4400 + n, "erp.legacy.example", **error) for n in range(9)]
    assert found(tmp_path, fine + usual + soon + upstream + alone + failed) == []


def test_one_of_a_pair_accuses_nobody_here(tmp_path: Path) -> None:
    fine = [transaction(number, "a.shop.svc.cluster.local") for number in range(200)]
    lost = [transaction(300 + n, "a.shop.svc.cluster.local", attempts=2, latency_us=5_001_000) for n in range(9)]
    pairs = [resolution(300 + n, "a.shop", duration_us=5_001_000, retries=1, lost_of_pair=1) for n in range(9)]
    assert found(tmp_path, fine + lost, pairs) == []


def test_who_lost_too_little_to_be_told_apart_is_not_named(tmp_path: Path) -> None:
    """Every client loses one of so many queries that only the zone stands out."""
    name = "www.shop.example"
    clients = [pod(f"client-{n}", f"10.244.1.{n + 20}") for n in range(12)]
    fine = [transaction(100 * n + k, "b.example", client=one) for n, one in enumerate(clients) for k in range(30)]
    lost = [unanswered(9000 + n, name, client=one) for n, one in enumerate(clients)]
    (finding,) = found(tmp_path, fine + lost)
    assert finding.subject == f"names under {name}"
    assert "Asked by several clients of kube-system/coredns-0." in finding.says
    assert (finding.evidence["clients"], finding.look) == ([], {"domain": f"*{name}", "outcome": "unanswered"})


def test_nobody_is_named_none(tmp_path: Path) -> None:
    """Each loses one, whatever it is, of many servers behind one Service."""
    dns: list[Row] = []
    for n in range(24):
        ends = {
            "client": pod(f"client-{n}", f"10.244.1.{n + 20}", node=f"node-{n}"),
            "server": pod("coredns", f"10.244.2.{n}", "kube-system", n) | {"ip": "10.96.0.10"},
            "service_namespace": "kube-system",
            "service": "kube-dns",
        }
        dns += [transaction(100 * n + k, f"n{n}.example", **ends) for k in range(10)]
        dns += [unanswered(100 * n + 50, f"n{n}.example", **ends)]
    (finding,) = found(tmp_path, dns)
    assert finding.subject == "the way to the name servers"
    assert "It is several clients at several servers, none much worse than the others." in finding.says
    assert "None" not in finding.says + finding.fix


@pytest.mark.parametrize("node, lost", [("node-1", 10), ("node-2", 20)])
def test_what_was_still_pending_when_the_records_of_its_node_end_is_not_lost(
    tmp_path: Path, node: str, lost: int
) -> None:
    """Ten queries 30 s before the end, ten in the last seconds; nothing is known of the end of the other node."""
    ended = {column.name: None if column.nullable else 0 for column in TABLES["coverage"].schema}
    ended |= {
        "node": node,
        "source": "live",
        "from_time": NOON,
        "until_time": NOON + timedelta(seconds=100),
        "discarded": [],
    }
    name = "a.shop.svc.cluster.local"
    fine = [transaction(number, name) for number in range(200)]
    late = [unanswered(at + n, "gone.example") for at in (700, 905) for n in range(10)]
    lake = make_names(tmp_path, dns=fine + late, coverage=[ended])
    (finding,) = examine(lake, {}, Context(), ["unanswered"]).findings
    assert finding.evidence["unanswered"] == lost


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_data(tmp_path: Path, name: str) -> None:
    fine = [transaction(number, "a.shop.svc.cluster.local") for number in range(200)]
    (finding,) = found(tmp_path, fine + [unanswered(300 + n, name) for n in range(4)])
    assert (finding.subject, finding.look) == (f"names under {name}", {"domain": f"*{name}", "outcome": "unanswered"})


def test_silent_on_an_empty_lake(tmp_path: Path) -> None:
    assert found(tmp_path, []) == []
