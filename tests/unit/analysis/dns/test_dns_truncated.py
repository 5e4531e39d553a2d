"""Answers cut short: late over TCP is a warning, never whole is critical."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from analysis.dns.doctor import examine
from analysis.dns.finding import Context, Finding, Severity
from tests.support.lake import HOSTILE
from tests.support.names import NOON, make_names, transaction, unanswered

Row = dict[str, Any]
NAME = "edge-pool.cdn.example"


def found(folder: Path, dns: list[Row]) -> Sequence[Finding]:
    return examine(make_names(folder, dns=dns), {}, Context(), ["truncated"]).findings


def cut(number: int, name: str = NAME, **more: Any) -> Row:
    return transaction(number, name, tc=True, **more)


def again(number: int, of: int, wait_us: int, make: Any = transaction, **more: Any) -> Row:
    """Asked ``wait_us`` after the truncated answer, which came 1 ms after its query; itself answered after 1 ms."""
    start = NOON + timedelta(seconds=of / 10, milliseconds=1, microseconds=wait_us)
    return make(number, NAME, start_time=start, transport="tcp", retry_of=f"t{of:06d}", **more)


def test_late_over_tcp_is_a_warning_with_what_it_adds(tmp_path: Path) -> None:
    rows = [cut(1), again(101, 1, 400), cut(2), again(102, 2, 800)]
    (finding,) = found(tmp_path, rows)
    assert (finding.severity, finding.subject) == (Severity.WARNING, f"shop/api → {NAME} A")
    assert (finding.queries, finding.waited_us) == (4, 3200)
    assert "kube-system/coredns cut 2 answers short, as the client takes 512 bytes" in finding.says
    assert "2 came whole over TCP, 1.6 ms later (1.8 ms at worst)." in finding.says
    assert "1,232 bytes" in finding.fix and "TCP 53" not in finding.fix
    assert finding.effect == "Each answer comes 1.6 ms sooner."


@pytest.mark.parametrize(
    "rows, told",
    [
        ([cut(1), again(101, 1, 400), cut(2)], "1 never asked for again over TCP: "),
        ([cut(1), again(101, 1, 400, unanswered)], "1 asked for over TCP in vain: "),
    ],
)
def test_what_never_came_whole_is_critical(tmp_path: Path, rows: list[Row], told: str) -> None:
    (finding,) = found(tmp_path, rows)
    assert finding.severity == Severity.CRITICAL
    assert told in finding.says
    assert finding.fix.startswith("Allow TCP 53 beside UDP 53 from these pods to kube-system/coredns")
    assert finding.effect in ("1 more of 1 answer whole.", "1 more of 2 answers whole.")


def test_a_client_that_takes_much_needs_fewer_records(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, [cut(1, edns_udp_size=4096), again(101, 1, 400)])
    assert finding.fix.startswith("The client takes 4,096 bytes already: give edge-pool.cdn.example fewer records")


@pytest.mark.parametrize(
    "rows",
    [
        [transaction(1, NAME)],
        [cut(1, transport="tcp")],
        [cut(1, forwarded=True)],
        [cut(1, outcome="unsolicited", attempts=0)],
        [],
    ],
    ids=["whole", "over TCP already", "a name server asks", "unsolicited", "nothing"],
)
def test_silent_where_nothing_was_cut_short_for_a_client(tmp_path: Path, rows: list[Row]) -> None:
    assert found(tmp_path, rows) == []


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_data(tmp_path: Path, name: str) -> None:
    (finding,) = found(tmp_path, [cut(1, name)])
    assert (finding.subject, finding.look["domain"]) == (f"shop/api → {name} A", name)
