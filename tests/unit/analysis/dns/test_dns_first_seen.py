"""Registered domains that nobody had asked for before."""

from datetime import timedelta
from pathlib import Path

from analysis.questions import ask
from tests.support.lake import HOSTILE
from tests.support.names import COREDNS, NOON, Row, make_names, pod, resolution

WORKER = pod("worker", "10.244.1.12", "batch")


def asked(day: float, domain: str | None, number: int = 0, **more: object) -> Row:
    start = NOON + timedelta(days=day)
    times = {"start_time": start, "end_time": start, "resolution_id": f"{day}{domain}{number}"}
    return resolution(number, f"www.{domain}", **times | {"registered_domain": domain} | more)


ROWS = [
    asked(0, None),
    asked(1, "old.example"),
    asked(9, "old.example"),
    asked(8.5, "new.example", connections=3),
    asked(8.6, "new.example", 1, outcome="nxdomain", connections=None),
    asked(8.7, "new.example", client=WORKER),
    asked(8.8, "asked.only.for.others", client=COREDNS),
    asked(8.9, "payments.payments", answered_suffix="svc.cluster.local"),
]


def test_domains_of_the_last_day_with_those_who_ask(tmp_path: Path) -> None:
    rows = ask(make_names(tmp_path, resolutions=ROWS), "dns/first_seen").table.to_pylist()
    columns = (
        "registered_domain",
        "client_name",
        "recorded_before_s",
        "resolutions",
        "answered",
        "connections",
        "example",
    )
    assert [tuple(row[name] for name in columns) for row in rows] == [
        ("new.example", "api", 8.5 * 86400, 2, 1, 3, "www.new.example"),
        ("new.example", "worker", 8.5 * 86400, 1, 1, 1, "www.new.example"),
    ]
    assert {row["domain_first_seen"] for row in rows} == {NOON + timedelta(days=8.5)}


def test_the_window_is_that_of_the_first_time(tmp_path: Path) -> None:
    lake = make_names(tmp_path, resolutions=ROWS)

    def domains(**parameters: object) -> set[str]:
        return set(ask(lake, "dns/first_seen", parameters).table["registered_domain"].to_pylist())

    assert domains(after=NOON) == {"old.example", "new.example"}
    assert domains(after=NOON, before=NOON + timedelta(days=2)) == {"old.example"}
    assert domains(after=NOON, workload="worker") == {"new.example"}
    assert domains(after=NOON, namespace="nobody") == set()


def test_hostile_names_are_data(tmp_path: Path) -> None:
    rows = [asked(number / 10, domain, number) for number, domain in enumerate(HOSTILE)]
    found = ask(make_names(tmp_path, resolutions=rows), "dns/first_seen").table
    assert set(found["registered_domain"].to_pylist()) == set(HOSTILE)
