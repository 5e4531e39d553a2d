"""The views count a connection and a DNS transaction once, whoever saw them and how often."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from contract.tables import TABLES
from store.lake import Lake
from tests.support.lake import make_tables

RANK = {"src": 0, "dst": 1, "fwd": 2, None: 3}


def test_each_connection_once_with_the_bytes_of_its_best_sighting(lake: Lake) -> None:
    best: dict[str, tuple[Any, ...]] = {}
    sums: dict[tuple[Any, ...], int] = {}
    for row in make_tables()["flows"].to_pylist():
        one_way = row["src_packets"] == 0 or row["dst_packets"] == 0
        sighting = (one_way, RANK[row["reporter"]], row["tunnel"] is not None, row["interface"], row["connection_id"])
        best[row["connection_id"]] = min(sighting, best.get(row["connection_id"], sighting))
        sums[sighting] = sums.get(sighting, 0) + row["src_bytes"]
    wanted = {connection: sums[sighting] for connection, sighting in best.items()}
    found = lake.connect().sql("select connection_id, src_bytes from connections").fetchall()
    assert dict(found) == wanted
    assert len(found) == len(wanted)


def test_edges_hold_every_connection_once(lake: Lake) -> None:
    connection = lake.connect()
    edges = connection.sql(
        "select sum(connections), sum(src_bytes), sum(dst_packets), sum(failed) from edges"
    ).fetchall()
    connections = connection.sql(
        """select count(*), sum(src_bytes), sum(dst_packets),
        count(*) filter (where connection_state in ('S0', 'REJ', 'RSTOS0', 'SH', 'RSTRH')) from connections"""
    ).fetchall()
    assert edges == connections


def test_an_edge_is_one_whether_reached_by_service_or_directly(lake: Lake) -> None:
    rows = lake.connect().sql("select port, service from edges where src_name = 'frontend' and dst_name = 'cart'")
    assert rows.fetchall() == [(7070, "cart")]


def test_outside_names_and_addresses_name_the_edge(lake: Lake) -> None:
    names = lake.connect().sql("select distinct dst_name from edges where dst_kind = 'external'").fetchall()
    assert {("api.stripe.example",), ("198.51.100.7",), ("<img src=x onerror=alert(1)>",)} < set(names)


def test_each_dns_transaction_once(lake: Lake) -> None:
    wanted = set(make_tables()["dns"].column("transaction_id").to_pylist())
    found = lake.connect().sql("select transaction_id from dns").fetchall()
    assert len(found) == len(wanted)
    assert {row[0] for row in found} == wanted


def test_the_sighting_with_an_answer_stands_for_the_transaction(tmp_path: Path) -> None:
    row = next(row for row in make_tables()["dns"].to_pylist() if row["outcome"] == "answered")
    missed = {"outcome": "unanswered", "latency_us": None, "rcode": None, "reporter": "src"}
    lake = _lake(tmp_path, "dns", [row | missed, row | {"reporter": "dst"}])
    assert lake.connect().sql("select outcome, reporter from dns").fetchall() == [("answered", "dst")]


def test_a_query_that_the_node_lost_is_in_the_transaction(tmp_path: Path) -> None:
    row = next(row for row in make_tables()["dns"].to_pylist() if row["outcome"] == "answered") | {"reporter": "src"}
    early = row["start_time"] - timedelta(seconds=5)
    veth = row | {"interface": "veth1", "start_time": early, "query_time": early, "attempts": 2}
    lake = _lake(tmp_path, "dns", [row | {"interface": "eth0", "attempts": 1}, veth])
    assert lake.connect().sql("select interface, attempts from dns").fetchall() == [("veth1", 2)]


def test_the_surest_sighting_says_who_opened_it(tmp_path: Path) -> None:
    near = _flow() | {"opened_by": "port", "application": None, "tls_ech": None, "interface": "veth1"}
    far = near | {"opened_by": "syn_ack", "application": "tls", "tls_ech": True, "interface": "veth2"}
    lake = _lake(tmp_path, "flows", [near, far, near | {"opened_by": "first_packet", "interface": "veth3"}])
    query = "select opened_by, application, tls_ech from connections"
    assert lake.connect().sql(query).fetchall() == [("syn_ack", "tls", True)]


def test_intervals_are_summed_and_the_last_state_stands(tmp_path: Path) -> None:
    row = _flow()
    first = row | {"connection_state": "S1", "ended": False, "end_reason": "active", "src_bytes": 10}
    last = _later(row) | {
        "connection_state": "SF",
        "started": False,
        "ended": True,
        "end_reason": "closed",
        "src_bytes": 5,
    }
    lake = _lake(tmp_path, "flows", [last, first])
    query = "select src_bytes, connection_state, started, ended, end_reason, records, sightings from connections"
    assert lake.connect().sql(query).fetchall() == [(15, "SF", True, True, "closed", 2, 1)]


def test_a_sighting_that_missed_the_opening_does_not_turn_the_connection(tmp_path: Path) -> None:
    opened = _flow() | {"started": True, "reporter": "dst"}
    ends = ("ip", "port", "kind", "namespace", "pod", "workload_kind", "workload", "node", "zone", "labels")
    swapped = {f"src_{end}": opened[f"dst_{end}"] for end in ends} | {
        f"dst_{end}": opened[f"src_{end}"] for end in ends
    }
    turned = opened | swapped | {"started": False, "reporter": "src", "connection_state": "OTH"}
    lake = _lake(tmp_path, "flows", [turned, opened])
    query = "select src_ip, dst_ip, src_workload, dst_workload, connection_state from connections"
    wanted = tuple(opened[name] for name in ("src_ip", "dst_ip", "src_workload", "dst_workload", "connection_state"))
    assert lake.connect().sql(query).fetchall() == [wanted]


def test_a_sighting_of_one_direction_does_not_stand_for_the_connection(tmp_path: Path) -> None:
    whole = _flow() | {"interface": "veth1", "src_packets": 6, "dst_packets": 5, "connection_state": "SF"}
    half = whole | {"interface": "eth0", "dst_packets": 0, "dst_bytes": 0, "connection_state": "SH"}
    lake = _lake(tmp_path, "flows", [half, whole])
    query = "select interface, dst_packets, connection_state from connections"
    assert lake.connect().sql(query).fetchall() == [("veth1", 5, "SF")]


def test_udp_is_judged_by_all_its_records(tmp_path: Path) -> None:
    first = _flow() | {"protocol": 17, "dst_port": 53, "src_packets": 30, "dst_packets": 30, "connection_state": "SF"}
    last = _later(first) | {"src_packets": 1, "dst_packets": 0, "connection_state": "S0"}
    connection = _lake(tmp_path, "flows", [first, last]).connect()
    assert connection.sql("select connection_state, failed from connections").fetchall() == [("SF", False)]


def test_silence_is_a_failure_of_udp_only_where_an_answer_is_due(tmp_path: Path) -> None:
    syslog = _flow() | {"protocol": 17, "dst_port": 514, "dst_packets": 0, "connection_state": "S0"}
    query = syslog | {"dst_port": 53, "connection_id": "another"}
    elsewhere = syslog | {"dst_port": 1053, "connection_id": "third", "application": "dns"}
    connection = _lake(tmp_path, "flows", [syslog, query, elsewhere]).connect()
    found = connection.sql("select dst_port, failed from connections order by dst_port").fetchall()
    assert found == [(53, True), (514, False), (1053, True)]


def test_the_first_to_open_is_src(tmp_path: Path) -> None:
    first = _flow() | {"src_ip": "10.0.0.1", "dst_ip": "10.0.0.9", "protocol": 17, "interface": "veth0"}
    missed = first | {"src_ip": "10.0.0.9", "dst_ip": "10.0.0.1", "src_port": first["dst_port"], "interface": "veth1"}
    late = missed | {"dst_port": first["src_port"], "start_time": first["start_time"] + timedelta(milliseconds=1)}
    found = _lake(tmp_path, "flows", [late, first]).connect().sql("select src_ip from connections").fetchall()
    assert found == [("10.0.0.1",)]


def test_an_assignment_that_two_dumps_tell_is_one(tmp_path: Path) -> None:
    row = make_tables()["assignments"].to_pylist()[0] | {"until_time": None}
    ended = row | {"until_time": row["from_time"] + timedelta(hours=1)}
    connection = _lake(tmp_path, "assignments", [row, ended]).connect()
    assert connection.sql("select until_time > from_time from assignments").fetchall() == [(True,)]


def test_an_assignment_that_turned_out_to_start_later_is_one(tmp_path: Path) -> None:
    row = make_tables()["assignments"].to_pylist()[0] | {"until_time": None}
    later = row | {"from_time": row["from_time"] + timedelta(seconds=3)}
    found = (
        _lake(tmp_path, "assignments", [row, later]).connect().sql("select from_time from assignments").to_arrow_table()
    )
    assert found["from_time"].to_pylist() == [later["from_time"]]


def test_a_lake_with_a_time_at_the_end_of_the_calendar_is_read(tmp_path: Path) -> None:
    late = datetime(9999, 12, 31, 23, 59, 59, 999_900, tzinfo=UTC)
    lake = _lake(tmp_path, "flows", [_flow() | {"start_time": late, "end_time": late}])
    assert lake.connect().sql("select count(*) from flows").fetchall() == [(1,)]
    assert lake.span() is not None


def test_names_come_from_whichever_sighting_knows_and_whole(tmp_path: Path) -> None:
    known = _flow() | {"reporter": "dst"}
    unknown = {
        f"dst_{name}": None for name in ("kind", "namespace", "pod", "workload_kind", "workload", "node", "labels")
    }
    near = known | unknown | {"reporter": "src", "backend_ip": None, "backend_port": None, "dst_zone": "elsewhere"}
    lake = _lake(tmp_path, "flows", [near, known | {"backend_ip": "10.0.0.9", "backend_port": 99}])
    query = "select reporter, dst_pod, dst_zone, backend_ip, backend_port from connections"
    assert lake.connect().sql(query).fetchall() == [("src", known["dst_pod"], known["dst_zone"], "10.0.0.9", 99)]


def test_the_port_behind_a_service_is_known_without_the_pod(tmp_path: Path) -> None:
    behind = _flow() | {"backend_ip": None, "backend_port": 99, "dst_pod": None}
    lake = _lake(tmp_path / "one", "flows", [behind])
    query = "select backend_ip, backend_port from connections"
    assert lake.connect().sql(query).fetchall() == [(None, 99)]
    met = behind | {"backend_ip": "10.0.0.9", "backend_port": 98, "interface": "later"}
    lake = _lake(tmp_path / "two", "flows", [behind, met])
    assert lake.connect().sql(query).fetchall() == [("10.0.0.9", 98)]


def test_a_window_counts_only_what_it_holds(tmp_path: Path) -> None:
    first = _flow() | {"src_bytes": 10}
    last = _later(first) | {"src_bytes": 5}
    lake = _lake(tmp_path, "flows", [first, last])
    since: datetime = last["start_time"]
    assert lake.connect(since=since).sql("select src_bytes from edges").fetchall() == [(5,)]


def _flow() -> dict[str, Any]:
    rows = make_tables()["flows"].to_pylist()
    return next(row for row in rows if row["dst_kind"] == "pod" and row["reporter"] == "src" and row["started"])


def _later(row: dict[str, Any]) -> dict[str, Any]:
    later = timedelta(minutes=1)
    return row | {"start_time": row["start_time"] + later, "end_time": row["end_time"] + later}


def _lake(folder: Path, table: str, rows: list[dict[str, Any]]) -> Lake:
    lake = Lake.create(folder)
    lake.append({table: pa.Table.from_pylist(rows, schema=TABLES[table].schema)})
    return lake
