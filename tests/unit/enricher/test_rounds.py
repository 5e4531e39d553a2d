"""However records arrive, round by round, they are the same connections as in one batch."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from enricher.directory import Directory
from enricher.recall import recall
from enricher.rounds import Rounds
from store.lake import Lake
from tests.unit.enricher.cluster import (
    NOON,
    Object,
    answer,
    directory,
    dns,
    endpoints,
    flow,
    flows,
    node,
    pod,
    port,
    query,
    service,
)

CLIENT, SERVICE, API = "10.1.0.5:40000", "10.96.0.7:80", "10.1.1.6:8080"
OUTSIDE = "203.0.113.9:443"
Arrived = Sequence[Sequence[Object]]


@pytest.fixture
def shop(tmp_path: Path) -> Directory:
    nodes = [node(f"n{n}", f"192.168.0.{n}", f"10.1.{n - 1}.0/24") for n in (1, 2)]
    web, far = pod("web", "10.1.0.5", node="n1"), pod("far", "10.1.1.6", node="n2")
    api = service("api", "10.96.0.7", port(80))
    return directory(tmp_path, *nodes, web, far, api, endpoints("api", [port(8080)], far))


def turned(rounds: Rounds, read: Directory, arrived: Arrived) -> list[Object]:
    """Every record that is given, in order."""
    given: list[Object] = []
    for records in (*arrived, [], []):
        for record in records:
            table, one = ("dns", dns(record)) if "qname" in record else ("flows", flows(record))
            for batch in one.to_batches():
                rounds.add(table, batch)
        enriched = rounds.turn(read).enriched
        given += [*enriched.flows.to_pylist(), *enriched.dns.to_pylist()]
    return given


def connections(given: Iterable[Object]) -> int:
    return len({row["connection_id"] for row in given})


def test_records_of_two_rounds_are_one_connection(shop: Directory) -> None:
    before, behind = flow(CLIENT, SERVICE, 0, 5, node="n1"), flow(CLIENT, API, 0.001, 5, node="n2")
    given = turned(Rounds(), shop, [[before], [behind]])
    assert [row["dst_pod"] for row in given] == ["far", "far"]
    assert connections(given) == 1
    assert [row["counted"] for row in given] == ["alone", "not"]


def test_a_record_is_given_once_and_none_is_lost(shop: Directory) -> None:
    arrived = [[flow(f"10.1.0.5:{40000 + number}", API, number, number + 1, node="n1")] for number in range(7)]
    given = turned(Rounds(), shop, arrived)
    assert [row["src_port"] for row in given] == [40000 + number for number in range(7)]


def going_on(start: float) -> Object:
    """Of a record that was written for its length."""
    return {"end_reason": "active", "ended": False, "started": start == 0}


def test_a_long_connection_keeps_its_id_through_rounds_without_it(shop: Directory) -> None:
    arrived: list[list[Object]] = []
    for at in (0, 300, 600):
        other = flow("10.1.0.5:500", API, at + 200, node="n1")
        arrived += [[flow(CLIENT, API, at, at + 299, node="n1", **going_on(at))], [other], []]
    given = [row for row in turned(Rounds(), shop, arrived) if row["src_port"] == 40000]
    assert len(given) == 3
    assert connections(given) == 1


def test_a_node_that_is_an_hour_behind_the_others_keeps_its_connections(shop: Directory) -> None:
    """It sends what waited in its spool."""
    arrived = [
        [
            flow(CLIENT, API, at, at + 299, node="n1", **going_on(at)),
            flow("10.1.1.6:9000", "10.1.0.5:80", 3600 + at, node="n2"),
        ]
        for at in (0, 300)
    ]
    given = [row for row in turned(Rounds(), shop, [*arrived[:1], [], [], *arrived[1:]]) if row["src_port"] == 40000]
    assert len(given) == 2
    assert connections(given) == 1


def test_a_port_that_is_used_again_is_another_connection(shop: Directory) -> None:
    closed = {"end_reason": "closed", "ended": True}
    first, second = flow(CLIENT, API, 0, 5, node="n1", **closed), flow(CLIENT, API, 9, 12, node="n1", **closed)
    assert connections(turned(Rounds(), shop, [[first], [], [], [second]])) == 2


def test_a_late_sighting_that_began_earlier_takes_the_id_that_was_given(shop: Directory) -> None:
    first, late = flow(CLIENT, API, 1, 5, node="n1"), flow(CLIENT, API, 0.999, 5, node="n2")
    assert connections(turned(Rounds(), shop, [[first], [], [], [late]])) == 1


def test_an_enricher_that_starts_goes_on_with_the_lakes_connections(shop: Directory, tmp_path: Path) -> None:
    first, second = (flow(CLIENT, SERVICE, at, at + 299, node="n1", **going_on(at)) for at in (0, 300))
    behind = [flow(CLIENT, API, at + 0.001, at + 299, node="n2", **going_on(at)) for at in (0, 300)]
    lake, rounds = Lake.create(tmp_path / "lake"), Rounds()
    for records in ([first, behind[0]], []):
        for batch in flows(*records).to_batches():
            rounds.add("flows", batch)
        lake.append({"flows": rounds.turn(shop).enriched.flows})
    later = Rounds(recall(lake, NOON + timedelta(hours=3)))  # Kafka kept what came meanwhile
    given = turned(later, shop, [[second, behind[1]]])
    with lake.connect() as views:
        (stored,) = views.sql("select distinct connection_id from flow_records").fetchall()[0]
    assert {row["connection_id"] for row in given} == {stored}


def answered(second: float) -> Object:
    return query("10.1.0.5:5353", "10.1.1.6:53", "pay.example", second, [answer("pay.example", "203.0.113.9")])


def test_a_name_that_was_told_rounds_ago_names_a_destination(shop: Directory) -> None:
    arrived = [[answered(0)], [], [], [], [flow(CLIENT, OUTSIDE, 30, 31, node="n1")]]
    assert [row["dst_domain"] for row in turned(Rounds(), shop, arrived) if "dst_domain" in row] == ["pay.example"]


def test_a_name_in_the_lake_names_a_destination_after_a_start(shop: Directory, tmp_path: Path) -> None:
    lake, rounds = Lake.create(tmp_path / "lake"), Rounds()
    for batch in dns(answered(0)).to_batches():
        rounds.add("dns", batch)
    for _ in range(2):
        lake.append({"dns": rounds.turn(shop).enriched.dns})
    later = Rounds(recall(lake, NOON + timedelta(seconds=60)))
    (named,) = turned(later, shop, [[flow(CLIENT, OUTSIDE, 30, 31, node="n1")]])
    assert named["dst_domain"] == "pay.example"


def test_a_resolution_is_given_once_with_the_first_of_its_transactions(shop: Directory) -> None:
    client, server = "10.1.0.5:5353", "10.1.1.6:53"
    steps = [
        query(client, server, f"pay.example{suffix}", at, rcode="NXDOMAIN", node="n1")
        for at, suffix in ((0, ".shop.svc.cluster.local"), (0.01, ".svc.cluster.local"), (0.02, ".cluster.local"))
    ]
    rounds, resolutions = Rounds(), []
    for records in (steps[:1], [*steps[1:], answered(0.03)], [], []):
        for batch in dns(*records).to_batches():
            rounds.add("dns", batch)
        resolutions.append(rounds.turn(shop).enriched.resolutions)
    assert [one.num_rows for one in resolutions] == [0, 1, 0, 0]
    assert pa.concat_tables(resolutions)["transactions"].to_pylist() == [4]


def test_marks_come_with_the_rows_that_they_stand_behind(shop: Directory) -> None:
    rounds = Rounds()
    rounds.mark("flow/0", 7)
    assert rounds.turn(shop).marks == {}
    rounds.mark("flow/0", 9)
    assert rounds.turn(shop).marks == {"flow/0": 7}


def test_what_another_goes_on_with_is_forgotten_and_the_rest_is_given(shop: Directory) -> None:
    rounds = Rounds()
    for number, part in ((1, "flow/0"), (2, "flow/1")):
        for batch in flows(flow(f"10.1.0.5:{number}", API)).to_batches():
            rounds.add("flows", batch, part)
        rounds.mark(part, 5)
    rounds.turn(shop)
    rounds.forget(frozenset({"flow/0"}))
    given = rounds.turn(shop)
    assert given.enriched.flows["src_port"].to_pylist() == [2]
    assert given.marks == {"flow/1": 5}
