"""The lake of the recorded sample says what the recording's ground truth says: nothing missing, nothing invented."""

import json
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.sample import tailrace, truth

End = tuple[str | None, ...]


def query(lake: Path, text: str) -> list[dict[str, Any]]:
    done = tailrace("sql", "--lake", lake, "--format", "json", text)
    assert done.returncode == 0, done.stderr
    rows: list[dict[str, Any]] = json.loads(done.stdout)
    return rows


def end_of(kind: str | None, namespace: str | None, workload_kind: str | None, workload: str | None, name: str) -> End:
    known = workload is not None
    return (kind, namespace, workload_kind, workload) if known else (kind, name)


def true_end(end: dict[str, Any]) -> End:
    return end_of(
        end["kind"],
        end.get("namespace"),
        end.get("workload_kind"),
        end.get("workload"),
        end.get("domain") or end.get("ip") or "",
    )


def seen_end(row: dict[str, Any], side: str) -> End:
    return end_of(*(row[f"{side}_{part}"] for part in ("kind", "namespace", "workload_kind", "workload", "name")))


@pytest.fixture(scope="module")
def seen_edges(sample_lake: Path) -> dict[tuple[End, End, int, int | None], int]:
    rows = query(sample_lake, "select * from edges")
    edges = {(seen_end(r, "src"), seen_end(r, "dst"), r["protocol"], r["port"]): r["connections"] for r in rows}
    assert len(edges) == len(rows), "an edge stands twice"
    return edges


def true_edges() -> dict[tuple[End, End, int, int | None], int | None]:
    return {
        (true_end(e["src"]), true_end(e["dst"]), e["protocol"], e["port"]): e["connections"] for e in truth()["edges"]
    }


def test_edges_are_those_of_the_truth(seen_edges: dict[Any, int]) -> None:
    true = true_edges()
    assert sorted(map(repr, true.keys() - seen_edges.keys())) == [], "missing"
    assert sorted(map(repr, seen_edges.keys() - true.keys())) == [], "invented"


def test_each_connection_is_counted_once(seen_edges: dict[Any, int]) -> None:
    counted = {edge: count for edge, count in true_edges().items() if count is not None}
    assert len(counted) > 50
    assert {edge: seen_edges[edge] for edge in counted} == counted


def test_dns_incidents_are_those_of_the_truth(sample_lake: Path) -> None:
    rows = query(
        sample_lake,
        "select client_namespace, client_workload_kind, client_workload, qname, outcome, rcode, attempts, transport"
        " from dns",
    )
    for incident in truth()["dns_incidents"]:
        client = tuple(incident["client"].values())
        found = [
            row
            for row in rows
            if (row["client_namespace"], row["client_workload_kind"], row["client_workload"]) == client
            and (row["outcome"], row["rcode"]) == (incident["outcome"], incident["rcode"])
            and asked(incident, row["qname"])
        ]
        assert found, incident
        if "transactions" in incident:
            assert len(found) == incident["transactions"], incident
        if "queries" in incident:
            assert sum(row["attempts"] for row in found) == incident["queries"], incident
        assert sum(row["transport"] == "tcp" for row in found) == incident.get("over_tcp", 0), incident


def test_what_was_truncated_was_asked_for_again_over_tcp(sample_lake: Path) -> None:
    (incident,) = (incident for incident in truth()["dns_incidents"] if incident["name"] == "truncated")
    found = query(
        sample_lake,
        "select cut.client_workload, cut.qname, cut.transport, again.transport as again, again.tc, again.outcome,"
        " cut.latency_us < epoch_us(again.start_time) - epoch_us(cut.start_time) as later"
        " from dns cut full join dns again on again.retry_of = cut.transaction_id"
        " where cut.tc or again.transport = 'tcp'",
    )
    told = {"client_workload": incident["client"]["workload"], "qname": incident["qname"], "transport": "udp"}
    again = {"again": "tcp", "tc": False, "outcome": incident["outcome"], "later": True}
    assert found == [told | again] * incident["over_tcp"]


def test_no_dns_failure_is_invented(sample_lake: Path) -> None:
    rows = query(
        sample_lake,
        "select client_namespace, client_workload_kind, client_workload, qname, outcome, rcode from dns"
        " where outcome <> 'answered' or rcode <> 'NOERROR' or tc",
    )
    assert len(rows) > 300
    for row in rows:
        client = (row["client_namespace"], row["client_workload_kind"], row["client_workload"])
        assert [
            incident
            for incident in truth()["dns_incidents"]
            if tuple(incident["client"].values()) == client
            and (incident["outcome"], incident["rcode"]) == (row["outcome"], row["rcode"])
            and asked(incident, row["qname"])
        ], row


def asked(incident: dict[str, Any], name: str) -> bool:
    if "qname" in incident:
        return bool(name == incident["qname"])
    return name.endswith("." + incident["qname_suffix"]) and name.startswith(incident.get("asked", ""))


def test_queries_of_each_workload_are_those_of_the_truth(sample_lake: Path) -> None:
    rows = query(sample_lake, "select client_namespace, client_workload_kind, client_workload, attempts from dns")
    seen: Counter[End] = Counter()
    for row in rows:
        seen[row["client_namespace"], row["client_workload_kind"], row["client_workload"]] += row["attempts"]
    for expected in truth()["dns_queries"]:
        client = tuple(expected["client"].values())
        assert seen[client] == expected["queries"], client


def test_an_address_used_twice_has_the_owner_of_its_time(sample_lake: Path) -> None:
    held: dict[str, list[dict[str, Any]]] = {}
    for assignment in truth()["assignments"]:
        held.setdefault(assignment["ip"], []).append(assignment)
    reused = {ip: owners for ip, owners in held.items() if len({owner["pod"] for owner in owners}) > 1}
    assert reused, "the sample has an address that two pods held one after the other"
    for ip, owners in reused.items():
        for owner in owners:
            rows = query(
                sample_lake,
                f"select distinct src_pod from flows where src_ip = '{ip}' and start_time >= '{owner['from']}'"
                f" and start_time < '{owner['until'] or '9999-01-01T00:00:00Z'}'",
            )
            assert rows == [{"src_pod": owner["pod"]}], (ip, owner)


def test_assignments_are_those_of_the_truth(sample_lake: Path) -> None:
    rows = query(sample_lake, "select * from assignments where kind = 'pod' and not host_network")
    seen = {
        (row["ip"], row["namespace"], row["name"], row["workload_kind"], row["workload"], row["node"]) for row in rows
    }
    true = {
        (a["ip"], a["namespace"], a["pod"], a["workload_kind"], a["workload"], a["node"])
        for a in truth()["assignments"]
    }
    assert seen == true


def test_every_packet_is_in_a_flow_or_in_a_discard(sample_lake: Path) -> None:
    (row,) = query(
        sample_lake,
        "select (select sum(src_packets + dst_packets) from flows) as counted, sum(packets) as packets,"
        " sum(list_sum(map_values(discarded))) as discarded from coverage",
    )
    assert row["packets"] == row["counted"] + row["discarded"]


def test_times_lie_in_the_recording(sample_lake: Path) -> None:
    (row,) = query(sample_lake, "select min(start_time) as first, max(end_time) as last from flows")
    first, last = (datetime.fromisoformat(row[name]) for name in ("first", "last"))
    assert datetime.fromisoformat(truth()["from"]) <= first <= last <= datetime.fromisoformat(truth()["until"])


def test_only_what_went_wrong_on_purpose_failed(sample_lake: Path) -> None:
    rows = query(sample_lake, "select * from edges where failed > 0")
    failed = {(seen_end(row, "src"), seen_end(row, "dst"), row["protocol"], row["port"]) for row in rows}
    wrong = {
        (true_end(edge["src"]), true_end(edge["dst"]), edge["protocol"], edge["port"])
        for edge in truth()["edges"]
        if edge["note"] in ("scan", "metadata", "dead upstream")
    }
    silent = {
        ("pod", *incident["client"].values())
        for incident in truth()["dns_incidents"]
        if incident["name"] == "never-answers"
    }
    assert failed - wrong == {edge for edge in failed if edge[0] in silent and edge[3] == 53}
    assert len(failed & wrong) > 20
