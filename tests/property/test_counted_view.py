"""``counted`` says of every connection what ``connections`` says, whatever its records are."""

from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.tables import TABLES
from enricher.counted import COLUMNS, counted
from enricher.sql import connect as connect_enricher
from store.files import LiveFile
from store.lake import Lake
from store.views import connect
from tests.support.counted import differences
from tests.support.history import NOON, flow, outside, pod

CONNECTIONS, PROTOCOLS = 8, (6, 6, 17, 1)
SERVICE = "10.96.0.9"
DOMAIN = ("dst_domain", "dst_registered_domain", "domain_method", "domain_confidence")
Row = dict[str, Any]


def end(side: str, address: str, known: str) -> Row:
    """What a record knows of one end."""
    whole = pod(f"{side}-app", address)
    held = {
        "pod": whole,
        "workload": whole | {"pod": None, "kind": "service"},
        "kind": outside(address) | {"namespace": None, "pod": None, "workload_kind": None, "workload": None},
    }
    nothing = dict.fromkeys(("kind", "namespace", "pod", "workload_kind", "workload"))
    return {f"{side}_{name}": value for name, value in (held.get(known, nothing) | {"ip": address}).items()}


@st.composite
def record(draw: st.DrawFn) -> Row:
    """Mostly as from a capture: two nodes, at src's and dst's interface; now and then anything."""
    odd = draw(st.integers(0, 3)) == 0
    near = draw(st.booleans())
    told: Row = {
        "reporter": "src" if near else "dst",
        "node": "node-1" if near else "node-2",
        "interface": "veth1" if near else "veth2",
        "started": draw(st.booleans()),
        "src_packets": 3,
        "dst_packets": 2,
        "src_bytes": draw(st.integers(1, 1000)),
        "connection_state": draw(st.sampled_from(("SF", "S1"))),
        "backend_ip": None,
        "backend_port": None,
        "src_nat_port": 4000,
    }
    ends = end("src", "10.0.0.1", "pod") | end("dst", "10.0.0.2", "pod") | {"src_port": 4000, "dst_port": 80}
    return told | ends | (draw(oddities()) if odd else {})


def oddities() -> st.SearchStrategy[Row]:
    """Some of the columns that decide, changed."""
    known = ("pod", "workload", "kind", "nothing")
    turned = end("src", "10.0.0.2", "pod") | end("dst", "10.0.0.1", "pod") | {"src_port": 80, "dst_port": 4000}
    any_of = {
        "reporter": (None, "src", "dst", "fwd"),
        "interface": ("eth0", "veth3", "", "é", None),
        "node": ("node-1", None),
        "tunnel": ("vxlan", "gre"),
        "tunnel_id": (7, None),
        "vlan": (4, None),
        "src_packets": (0, 1),
        "dst_packets": (0, 1),
        "connection_state": ("S0", "REJ", "OTH", None),
        "opened_by": ("first_packet", "port", "syn_ack"),
        "application": ("dns", "tls"),
        "ambiguous": (True,),
        "cluster": ("other", None),
        "backend_ip": ("10.0.0.2", None),
        "backend_port": (8080, None),
        "src_nat_ip": ("10.0.0.1", "192.168.0.1"),
        "dst_ip": (SERVICE,),
        "dst_port": (53, 80),
    }
    single = [st.fixed_dictionaries({name: st.sampled_from(values)}) for name, values in any_of.items()]
    of_ends = [
        st.sampled_from([end(side, ip, what) for what in known]) for side, ip in (("src", "10.0.0.1"), ("dst", SERVICE))
    ]
    names = st.sampled_from((("www.a.example", "a.example", "dns", "high"), ("b", None, "sni", "low")))
    named = names.map(lambda values: dict(zip(DOMAIN, values, strict=True)))
    return st.lists(st.one_of(*single, *of_ends, named, st.just(turned)), min_size=1, max_size=3).map(merged)


def merged(parts: list[Row]) -> Row:
    return {name: value for part in parts for name, value in part.items()}


@st.composite
def records(draw: st.DrawFn) -> list[Row]:
    """No two begin at once: which of them is the first is told nowhere."""
    drawn = draw(st.lists(st.tuples(st.integers(0, CONNECTIONS - 1), record()), min_size=20, max_size=40))
    moments = draw(st.permutations(range(len(drawn))))
    rows = []
    for (number, told), moment in zip(drawn, moments, strict=True):
        start = NOON + timedelta(seconds=moment)
        held = {"connection_id": f"c{number}", "protocol": PROTOCOLS[number % len(PROTOCOLS)]}
        rows.append(BASE | told | held | {"start_time": start, "end_time": start + timedelta(seconds=1 + number)})
    return rows


BASE = flow(0, pod("a", "10.0.0.1"), pod("b", "10.0.0.2"))


def told(flows: pa.Table) -> pa.Table:
    columns = {name: flows[name] for name in flows.schema.names}
    with connect_enricher() as connection:
        found = counted(connection, flows.drop_columns(COLUMNS))
    return pa.Table.from_pydict(columns | found, schema=flows.schema)


@settings(max_examples=25)
@given(rows=records(), parts=st.integers(1, 3))
def test_counted_says_what_connections_says(rows: list[Row], parts: int) -> None:
    with TemporaryDirectory() as folder:
        files = [
            _file(Path(folder) / f"{part}.parquet", rows[part::parts]) for part in range(parts) if rows[part::parts]
        ]
        live = dict.fromkeys(TABLES, []) | {"flows": files}
        with connect(live, None, None) as connection:
            found = differences(connection)
    assert found == ([], [])


def _file(path: Path, rows: list[Row]) -> LiveFile:
    """What came in one ingest."""
    pq.write_table(told(pa.Table.from_pylist(rows, schema=TABLES["flows"].schema)), path)
    return LiveFile(path, len(rows), path.stat().st_size, NOON, NOON)


@pytest.mark.parametrize("count", [0, 1])
def test_an_empty_lake_has_nothing_to_count(tmp_path: Path, count: int) -> None:
    lake = Lake.create(tmp_path)
    if count:
        lake.append({"flows": pa.Table.from_pylist([BASE], schema=TABLES["flows"].schema)})
    assert lake.connect().sql("select count(*) from counted").fetchall() == [(count,)]
