"""What the health port answers, and what a client of it cannot do."""

import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from itertools import count

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as parsed

from cli.addresses import HostPort
from cli.health import CLIENT_S, MAX_CLIENTS, Checks, Health, Heartbeat
from cli.metrics import MAX_LABEL, MAX_SERIES, OTHERS, Metric, Observed
from contract.errors import UsageError

LOOPBACK = HostPort("127.0.0.1", 0)
OPENMETRICS = "application/openmetrics-text; version=1.0.0"


@dataclass
class Seen:
    """Statistics as a stage keeps them."""

    packets: dict[str, int] = field(default_factory=lambda: {"eth0": 7, "veth1": 2})
    discarded: dict[tuple[str, str], int] = field(default_factory=lambda: {("eth0", "not_ip"): 3})
    spooled_bytes: int = 1 << 40
    lag: int | None = None


METRICS = (
    Metric[Seen]("tailrace_test_packets_total", "packets seen", lambda seen: seen.packets, ("interface",)),
    Metric[Seen]("tailrace_test_discarded_total", "in no flow", lambda seen: seen.discarded, ("interface", "reason")),
    Metric[Seen]("tailrace_test_spool_bytes", "waiting on disk", lambda seen: seen.spooled_bytes),
    Metric[Seen]("tailrace_test_lag", "not known yet", lambda seen: seen.lag),
)


def nothing() -> list[str]:
    return []


@contextmanager
def served(
    seen: Seen | None = None,
    alive: Callable[[], list[str]] = nothing,
    ready: Callable[[], list[str]] = nothing,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Health]:
    with Health(LOOPBACK, Checks(alive, ready, [Observed(lambda: seen or Seen(), METRICS)]), clock) as health:
        yield health


def get(health: Health, path: str, accept: str = "") -> tuple[int, str, str]:
    connection = HTTPConnection("127.0.0.1", health.port, timeout=10)
    try:
        connection.request("GET", path, headers={"Accept": accept})
        response = connection.getresponse()
        return response.status, response.headers["Content-Type"], response.read().decode()
    finally:
        connection.close()


def samples(text: str) -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *sample.labels.values()): sample.value for metric in parsed(text) for sample in metric.samples
    }


def test_metrics_are_what_the_statistics_are_when_asked() -> None:
    seen = Seen()
    with served(seen) as health:
        before = samples(get(health, "/metrics")[2])
        seen.packets["eth0"] += 1
        seen.lag = 5
        after = samples(get(health, "/metrics?name[]=x")[2])
    assert before["tailrace_test_packets_total", "eth0"] == 7
    assert before["tailrace_test_discarded_total", "eth0", "not_ip"] == 3
    assert before["tailrace_test_spool_bytes",] == 1 << 40
    assert ("tailrace_test_lag",) not in before
    assert (after["tailrace_test_packets_total", "eth0"], after["tailrace_test_lag",]) == (8, 5)
    assert after["process_resident_memory_bytes",] > 1 << 20
    assert any(key[0] == "tailrace_build_info" for key in after)


def test_openmetrics_where_it_is_asked_for() -> None:
    with served() as health:
        status, kind, text = get(health, "/metrics", OPENMETRICS)
    assert (status, kind.startswith("application/openmetrics-text")) == (200, True)
    assert {family.name for family in openmetrics(text)} >= {"tailrace_test_packets", "tailrace_test_spool_bytes"}


def test_names_of_strangers_are_bounded_escaped_and_never_told_twice() -> None:
    long = "v" * MAX_LABEL
    names = {'a"b\\c\nd{}': 1, "\x1b[31m\u202e": 2, long + "1": 3, long + "2": 4, "\ud800": 5}
    names |= {f"if{number}": 1 for number in range(MAX_SERIES)}
    with served(Seen(packets=names)) as health:
        status, _, text = get(health, "/metrics")
    lines = [line for line in text.splitlines() if line.startswith("tailrace_test_packets_total{")]
    assert status == 200
    assert len(lines) == len({line.rpartition(" ")[0] for line in lines}) == MAX_SERIES + 1
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text)
    told = samples(text)
    assert told["tailrace_test_packets_total", long] == 7
    assert told["tailrace_test_packets_total", 'a"b\\c\\nd{}'] == 1
    assert sum(value for key, value in told.items() if key[0] == "tailrace_test_packets_total") == sum(names.values())
    assert told["tailrace_test_packets_total", OTHERS] == 4


def test_alive_while_the_loop_turns() -> None:
    ticks = count(step=10)
    heart = Heartbeat(lambda: next(ticks), patience_s=25)
    assert heart.faults() == heart.faults() == []
    assert heart.faults() == ["the loop has not turned for 30 s"]
    heart.beat()
    assert heart.faults() == []


def test_faults_are_lines_of_a_503() -> None:
    faults: list[str] = []
    with served(alive=lambda: faults, ready=lambda: [*faults, "the brokers are away"]) as health:
        assert get(health, "/healthz")[::2] == (200, "ok\n")
        assert get(health, "/readyz")[::2] == (503, "the brokers are away\n")
        faults.append("stuck\nat once\x1b[2J")
        assert get(health, "/healthz")[::2] == (503, "stuck\\nat once\\x1b[2J\n")


def test_what_is_not_served() -> None:
    with served() as health:
        assert get(health, "/")[0] == get(health, "/../etc/passwd")[0] == 404
        with socket.create_connection(("127.0.0.1", health.port), 10) as client:
            client.sendall(b"\x16\x03\x01 junk\r\n\r\n")
            assert b" 400 " in client.recv(1 << 16)
        assert get(health, "/healthz")[0] == 200


def test_an_ill_statistic_is_answered_and_said(caplog: pytest.LogCaptureFixture) -> None:
    with served(Seen(spooled_bytes="many")) as health:  # type: ignore[arg-type]
        assert get(health, "/metrics")[::2] == (500, "the log says why\n")
        assert get(health, "/healthz")[0] == 200
    assert "cannot answer /metrics" in caplog.text


def test_clients_that_say_nothing_are_hung_up_on() -> None:
    now = [0.0]
    with served(clock=lambda: now[0]) as health:
        idle = [socket.create_connection(("127.0.0.1", health.port), 10) for _ in range(MAX_CLIENTS)]
        deadline = time.monotonic() + 10
        while len(health._since) < MAX_CLIENTS and time.monotonic() < deadline:
            time.sleep(0.01)
        with socket.create_connection(("127.0.0.1", health.port), 10) as further:
            assert further.recv(1) == b""
        now[0] = CLIENT_S + 1
        assert all(client.recv(1) == b"" for client in idle)
        for client in idle:
            client.close()
        assert get(health, "/healthz")[0] == 200


def test_where_it_cannot_listen_is_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(
            UsageError, match=rf"^--health 127.0.0.1:{port}: cannot listen there: Address already in use$"
        ):
            Health(HostPort("127.0.0.1", port), Checks(nothing, nothing, []), time.monotonic)
    with pytest.raises(UsageError, match=r"^--health 192.0.2.1:1: cannot listen there"):
        Health(HostPort("192.0.2.1", 1), Checks(nothing, nothing, []), time.monotonic)


def test_no_host_is_every_address() -> None:
    with Health(HostPort("", 0), Checks(nothing, nothing, []), time.monotonic) as health:
        assert get(health, "/healthz")[0] == 200
