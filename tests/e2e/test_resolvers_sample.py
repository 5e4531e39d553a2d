"""The lake of the resolvers sample holds every incident of its ground truth as often as it happened, and no other."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.support.sample import ingest_sample, tailrace, truth

Row = dict[str, Any]
Client = tuple[str | None, ...]
TRUTH = truth("resolvers")
INCIDENTS = TRUTH["dns_incidents"]
WITH_OUTCOME = [incident for incident in INCIDENTS if "outcome" in incident]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("resolvers") / "lake"
    done = ingest_sample(path, "resolvers")
    assert done.returncode == 0, done.stderr
    return path


def query(lake: Path, text: str) -> list[Row]:
    done = tailrace("sql", "--lake", lake, "--format", "json", "--limit", 5000, text)
    assert done.returncode == 0, done.stderr
    rows: list[Row] = json.loads(done.stdout)
    return rows


@pytest.fixture(scope="module")
def dns(lake: Path) -> list[Row]:
    return query(
        lake,
        "select client_namespace, client_workload_kind, client_workload, server_pod, service, qname, outcome,"
        " rcode, attempts, transport, tc, latency_us, list_transform(answers, lambda a: a.data) as answers from dns",
    )


def client_of(row: Row) -> Client:
    return row["client_namespace"], row["client_workload_kind"], row["client_workload"]


def told_client(told: Row) -> Client:
    return tuple(told["client"].values())


def asked(told: Row, name: str) -> bool:
    return name in told.get("names", ()) or name.endswith("." + told.get("qname_suffix", "\0"))


def label(incident: Row) -> str:
    return f"{incident['diagnosis']}-{incident['client']['workload']}"


def of(incident: Row, dns: list[Row]) -> list[Row]:
    mine = [row for row in dns if client_of(row) == told_client(incident) and asked(incident, row["qname"])]
    if "outcome" not in incident:
        return mine
    return [row for row in mine if (row["outcome"], row["rcode"]) == (incident["outcome"], incident["rcode"])]


@pytest.mark.parametrize("incident", WITH_OUTCOME, ids=label)
def test_queries_of_an_incident_are_those_of_the_truth(dns: list[Row], incident: Row) -> None:
    found = of(incident, dns)
    assert found
    assert sum(row["attempts"] for row in found) == incident["queries"]
    assert sum(row["transport"] == "tcp" for row in found) == incident.get("over_tcp", 0)
    if "transactions" in incident:
        assert len(found) == incident["transactions"]


def test_queries_of_each_workload_are_those_of_the_truth(dns: list[Row]) -> None:
    seen: Counter[Client] = Counter()
    for row in dns:
        if row["service"] == "kube-dns":
            seen[client_of(row)] += row["attempts"]
    assert seen == {told_client(told): told["queries"] for told in TRUTH["dns_queries"]}


def test_a_lost_query_and_its_stall_are_in_the_transaction(dns: list[Row]) -> None:
    """Wherever the answering replica is: the client's own interface tells of it, the uplink does not."""
    (incident,) = (incident for incident in INCIDENTS if incident["diagnosis"] == "pair_race")
    found = of(incident, dns)
    assert sum(row["attempts"] for row in found) == incident["queries"]
    stalled = [row for row in found if row["latency_us"] > 5_000_000]
    assert len(stalled) == incident["lost"] == len(incident["stalls_s"])


def test_no_dns_failure_is_invented(dns: list[Row]) -> None:
    failed = [row for row in dns if row["outcome"] != "answered" or row["rcode"] != "NOERROR" or row["tc"]]
    known = [*WITH_OUTCOME, *TRUTH["benign"]]
    assert len(failed) > 300
    for row in failed:
        by_name_server = row["client_workload"] == "coredns"
        assert any(
            asked(told, row["qname"]) and (by_name_server or client_of(row) == told_client(told)) for told in known
        ), row


@pytest.mark.parametrize("twin", TRUTH["benign"], ids=lambda twin: f"{twin['twin_of']}-{twin['client']['workload']}")
def test_benign_twins_asked_as_often_as_told(dns: list[Row], twin: Row) -> None:
    mine = [row for row in dns if client_of(row) == told_client(twin)]
    assert {row["qname"] for row in mine} == set(twin["names"])
    assert sum(row["attempts"] for row in mine) == twin["queries"]
    assert {row["outcome"] for row in mine} == {"answered"}


def test_who_got_around_the_name_servers_is_seen(lake: Path) -> None:
    found = query(
        lake,
        "select src_workload, dst_port, count(*) as connections, min(tls_sni) as sni from connections"
        " where dst_ip = '203.0.113.8' group by all order by dst_port",
    )
    told = [
        {
            "src_workload": incident["client"]["workload"],
            "dst_port": incident["port"],
            "connections": incident.get("connections", incident.get("queries")),
            "sni": incident.get("sni"),
        }
        for incident in INCIDENTS
        if incident["diagnosis"] == "bypass"
    ]
    assert found == sorted(told, key=lambda row: row["dst_port"])


@pytest.mark.parametrize("diagnosis", ["no_endpoint", "refused"])
def test_connections_that_cannot_succeed_are_counted(lake: Path, diagnosis: str) -> None:
    (incident,) = (incident for incident in INCIDENTS if incident["diagnosis"] == diagnosis)
    client = incident["client"]["workload"]
    found = query(
        lake,
        f"select connection_state as state from connections where src_workload = '{client}' and dst_port in (80, 8080)",
    )
    assert len(found) == incident["connections"]
    assert {row["state"] for row in found} == {"S0" if diagnosis == "no_endpoint" else "REJ"}


def test_answers_of_the_changing_names_are_those_the_clients_got(dns: list[Row]) -> None:
    for diagnosis in ("fast_flux", "rebinding"):
        (incident,) = (incident for incident in INCIDENTS if incident["diagnosis"] == diagnosis)
        seen = {address for row in of(incident, dns) for address in row["answers"]}
        assert seen == set(incident["addresses"])


def test_the_slow_replica_is_slower_by_its_delay(dns: list[Row]) -> None:
    (incident,) = (incident for incident in INCIDENTS if incident["diagnosis"] == "slow_replica")
    own = [
        row
        for row in dns
        if row["service"] == "kube-dns" and row["qname"].endswith("cluster.local") and row["attempts"] == 1
    ]
    slow = [row["latency_us"] for row in own if row["server_pod"] == incident["pod"]]
    fast = [row["latency_us"] for row in own if row["server_pod"] != incident["pod"]]
    assert min(slow) >= incident["delay_ms"] * 1000 > 10 * sorted(fast)[len(fast) // 2]
