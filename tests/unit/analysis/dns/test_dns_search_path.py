"""What the search path costs a workload, the ``ndots`` that saves it, and silence where nothing is wasted."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from analysis.dns.doctor import examine
from analysis.dns.finding import Context, Finding, Severity
from analysis.questions import ask
from store.lake import Lake
from tests.support.lake import HOSTILE
from tests.support.names import CLIENT, COREDNS, NOON, Row, make_names, outside, pod, resolution

PATH = ["shop.svc.cluster.local", "svc.cluster.local", "cluster.local"]


def searched(number: int, asked: str, client: Row = CLIENT, **more: Any) -> Row:
    """Found as it stands, after three suffixes; A and AAAA for each, and half a millisecond a step."""
    told = {"suffixes": [*PATH, "."], "transactions": 8, "queries": 8, "wasted_queries": 6, "wasted_us": 1500}
    return resolution(number, asked, client, **told | {"duration_us": 2000} | more)


def of_another_namespace(number: int, asked: str = "payments.payments", client: Row = CLIENT) -> Row:
    """Found by the second suffix."""
    told = {"suffixes": PATH[:2], "answered_suffix": PATH[1], "transactions": 4, "queries": 4, "wasted_queries": 2}
    return resolution(number, asked, client, wasted_us=500, duration_us=1000, **told)


def nowhere(number: int, asked: str, **more: Any) -> Row:
    failed = {"answered_suffix": None, "outcome": "failed", "rcode": "SERVFAIL", "duration_us": None, "addresses": None}
    return searched(number, asked, **failed | more)


def found(folder: Path, *rows: Row) -> list[Finding]:
    lake = make_names(folder / "lake", resolutions=list(rows))
    return list(examine(lake, {}, Context(), ["search_path"]).findings)


def test_a_name_outside_of_the_cluster(tmp_path: Path) -> None:
    rows = [searched(i, "gateway.bank.example") for i in range(27)]
    rows += [resolution(100 + i, "ledger.shop.svc.cluster.local") for i in range(27)]
    (finding,) = found(tmp_path, *rows)
    assert (finding.subject, finding.severity) == ("shop/api", Severity.WARNING)
    assert (finding.queries, finding.waited_us) == (162, 27 * 1500)
    assert finding.says.startswith("162 of its 270 queries (60 %)")
    assert 'dnsConfig: {options: [{name: ndots, value: "2"}]}' in finding.fix
    assert "spec.template.spec of Deployment shop/api" in finding.fix
    assert "Today it is 5, as far as can be told: 3 to 15" in finding.fix
    assert finding.effect == "ndots:2 removes 162 of 270 queries (60 %), and 1.5 ms of each of 27 calls."
    assert finding.evidence["queries_by_ndots"] == {str(n): 108 if n <= 2 else 270 for n in range(1, 16)}
    assert finding.look == {"from_namespace": "shop", "from_workload": "api", "rcode": "NXDOMAIN"}


@pytest.mark.parametrize(
    "kind, where",
    [
        ("CronJob", "under spec.jobTemplate.spec.template.spec of CronJob shop/api"),
        ("Pod", "under spec of Pod shop/api"),
        ("Node", "`options ndots:2` into its /etc/resolv.conf"),
    ],
)
def test_the_option_belongs_where_the_pods_are_declared(tmp_path: Path, kind: str, where: str) -> None:
    client = CLIENT | {"workload_kind": kind}
    (finding,) = found(tmp_path, *(searched(i, "gateway.bank.example", client) for i in range(3)))
    assert where in finding.fix


def test_a_service_of_another_namespace_is_written_out(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, *(of_another_namespace(i) for i in range(27)))
    assert finding.fix.startswith("Write payments.payments.svc.cluster.local. for payments.payments: ")
    assert "ndots:1 would cost 54 queries more, which leave the cluster" in finding.fix
    assert finding.effect == "The names written out remove 54 (50 %)."
    assert finding.evidence["queries_by_ndots"] == {"1": 162} | {str(n): 108 for n in range(2, 16)}


def test_no_ndots_is_recommended_that_musl_would_lose_a_name_by(tmp_path: Path) -> None:
    rows = [searched(i, "partner.example") for i in range(20)] + [of_another_namespace(100)]
    (finding,) = found(tmp_path, *rows)
    assert "dnsConfig" not in finding.fix
    assert "Write partner.example. for partner.example, payments.payments.svc.cluster.local. for" in finding.fix
    assert "ndots:1 would save 118 queries, but send payments.payments out of the cluster first" in finding.fix
    assert finding.evidence["ndots"] is None


def test_a_pod_behind_a_headless_service_may_be_written_short(tmp_path: Path) -> None:
    rows = [searched(i, "partner.example") for i in range(20)]
    assert 'value: "1"' in found(tmp_path / "a", *rows)[0].fix
    rows += [resolution(100, "redis-0.redis.shop.svc.cluster.local")]
    assert "dnsConfig" not in found(tmp_path / "b", *rows)[0].fix


def test_what_an_ndots_leaves_is_written_out(tmp_path: Path) -> None:
    rows = [searched(i, "gateway.bank.example") for i in range(9)] + [of_another_namespace(100 + i) for i in range(5)]
    (finding,) = found(tmp_path, *rows)
    assert 'value: "2"' in finding.fix
    assert "Also write payments.payments.svc.cluster.local. for payments.payments" in finding.fix
    assert finding.effect is not None
    assert finding.effect.startswith("ndots:2 removes 54 of 92 queries")
    assert finding.effect.endswith("The names written out remove 10 (10.9 %).")


def test_no_ndots_helps_a_name_that_no_step_answers(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, *(nowhere(i, "erp.legacy.example") for i in range(6)))
    assert set(finding.evidence["queries_by_ndots"].values()) == {48}
    assert "Write erp.legacy.example. for erp.legacy.example" in finding.fix
    assert "No ndots helps: for a name that no step answers" in finding.fix
    assert finding.effect == "The names written out remove 36 (75 %)."


def test_a_name_with_its_last_dot_is_not_touched_by_any_ndots(tmp_path: Path) -> None:
    rows = [searched(i, "gateway.bank.example") for i in range(9)]
    rows += [resolution(100 + i, "cdn.example") for i in range(50)]
    (finding,) = found(tmp_path, *rows)
    assert finding.evidence["queries_by_ndots"]["15"] == 9 * 8 + 50 * 2


def test_pods_that_differ_are_said_to(tmp_path: Path) -> None:
    """As in the middle of a rollout: one pod searches for a name first, another after it failed as it stands."""
    late = {"suffixes": [".", *PATH[:2]], "answered_suffix": PATH[1], "queries": 6, "wasted_queries": 4}
    rows = [searched(i, "gateway.bank.example") for i in range(9)]
    rows += [resolution(100 + i, "payments.payments", **late) for i in range(3)]
    (finding,) = found(tmp_path, *rows)
    assert "Its pods or programs have no common ndots today." in finding.fix
    assert finding.evidence["ndots_today"] == [3, 1]
    assert finding.evidence["queries_by_ndots"]["2"] == 9 * 2 + 3 * 4


def test_an_ndots_that_is_too_small_is_raised(tmp_path: Path) -> None:
    """The name as it stands was asked for twice, by A and AAAA: the server upstream refuses it."""
    late = {"suffixes": [".", *PATH[:2]], "answered_suffix": PATH[1], "queries": 8, "wasted_queries": 6}
    (finding,) = found(tmp_path, *(resolution(i, "payments.payments", **late) for i in range(10)))
    assert finding.evidence["ndots_today"] == [1, 1]
    assert "Today it is 1. Also write" in finding.fix
    assert finding.effect == "ndots:2 removes 40 of 80 queries (50 %). The names written out remove 20 (25 %)."


def test_the_rest_of_many_names_is_counted_too(tmp_path: Path) -> None:
    rows = [searched(i, f"host-{i}.bank.example") for i in range(60)]
    (finding,) = found(tmp_path, *rows)
    assert len(finding.evidence["names"]) == 20
    assert finding.effect is not None
    assert finding.effect.startswith("ndots:2 removes 360 of 480 queries (75 %)")


def test_what_is_rare_and_quick_is_no_warning(tmp_path: Path) -> None:
    rows = [searched(i, "gateway.bank.example", start_time=NOON + timedelta(minutes=i)) for i in range(5)]
    assert found(tmp_path / "a", *rows)[0].severity == Severity.INFO
    slow = [row | {"wasted_us": 60_000} for row in rows]
    assert found(tmp_path / "b", *slow)[0].severity == Severity.WARNING


def test_silent_where_nothing_is_wasted(tmp_path: Path) -> None:
    rows = [resolution(i, "gateway.bank.example") for i in range(50)]
    rows += [resolution(100 + i, "ledger.shop.svc.cluster.local") for i in range(50)]
    rows += [of_another_namespace(200)]  # below the least: not worth a change
    rows += [nowhere(400 + i, "paymets.payments", outcome="nxdomain", rcode="NXDOMAIN") for i in range(9)]
    rows += [nowhere(500 + i, "deaf.example", outcome="unanswered", rcode=None) for i in range(9)]
    rows += [searched(300 + i, "gateway.bank.example", COREDNS) for i in range(9)]  # a name server's own
    assert found(tmp_path, *rows) == []


def test_names_are_data(tmp_path: Path) -> None:
    client = CLIENT | {"workload": HOSTILE[0]}
    (finding,) = found(tmp_path, *(searched(i, f"{HOSTILE[i % len(HOSTILE)]}.example", client) for i in range(20)))
    assert finding.subject == f"shop/{HOSTILE[0]}"
    assert {name["asked"] for name in finding.evidence["names"]} == {f"{name}.example" for name in HOSTILE}


def test_a_client_that_is_nobody_known(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, *(searched(i, "gateway.bank.example", outside("192.0.2.7")) for i in range(3)))
    assert (finding.subject, finding.look["from_ip"]) == ("192.0.2.7", "192.0.2.7")
    assert "its /etc/resolv.conf" in finding.fix


def test_a_workload_that_is_cut_off_is_not_judged(tmp_path: Path) -> None:
    from analysis.dns.search_path import judge

    rows = [searched(i, f"host-{i}.bank.example") for i in range(5)]
    rows += [searched(100 + i, f"host-{i}.bank.example", pod("web", "10.244.1.12")) for i in range(4)]
    answer = ask(make_names(tmp_path / "lake", resolutions=rows), "dns/search_path", limit=7)
    assert [finding.subject for finding in judge(answer.table.to_pylist(), Context())] == ["shop/api"]


def test_an_empty_lake(tmp_path: Path) -> None:
    assert examine(Lake.create(tmp_path / "lake"), {}, Context(), ["search_path"]).findings == []
