"""DNS transactions and resolutions of a small cluster as the enricher completes them, and a lake of them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from contract.columns import Table
from contract.tables import TABLES
from store.lake import Lake

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)

Row = dict[str, Any]


def pod(workload: str, address: str, namespace: str = "shop", number: int = 0, **more: Any) -> Row:
    told = {
        "kind": "pod",
        "namespace": namespace,
        "pod": f"{workload}-{number}",
        "workload_kind": "Deployment",
        "workload": workload,
        "node": "node-1",
        "labels": [("app", workload)],
    }
    return {"ip": address} | told | more


def outside(address: str) -> Row:
    return {"ip": address, "kind": "external"}


CLIENT = pod("api", "10.244.1.11")
COREDNS = pod("coredns", "10.244.1.2", "kube-system")
UPSTREAM = outside("203.0.113.53")


def transaction(number: int, qname: str, client: Row = CLIENT, server: Row = COREDNS, **more: Any) -> Row:
    """Number ``number``, that many tenths of a second after noon: one A query, answered NOERROR after 1 ms."""
    start = more.pop("start_time", NOON + timedelta(seconds=number / 10))
    told: Row = {
        "start_time": start,
        "query_time": start,
        "response_time": start + timedelta(milliseconds=1),
        "latency_us": 1000,
        "cluster": "test",
        "node": "node-1",
        "interface": "veth",
        "reporter": "src",
        "transaction_id": f"t{number:06d}",
        "counted": True,
        "resolution_id": f"r{number:06d}",
        "client_port": 40000 + number % 20000,
        "server_port": 53,
        "transport": "udp",
        "id": number % 65536,
        "opcode": 0,
        "qname": qname,
        "qtype": "A",
        "qclass": "IN",
        "rcode": "NOERROR",
        "rd": True,
        "aa": False,
        "tc": False,
        "ra": True,
        "ad": False,
        "cd": False,
        "answers": [],
        "query_bytes": 30 + len(qname),
        "response_bytes": 60 + len(qname),
        "attempts": 1,
        "outcome": "answered",
        "forwarded": client["ip"] == COREDNS["ip"],
        "ambiguous": False,
    }
    return _completed(TABLES["dns"], told | _end("client_", client) | _end("server_", server) | more)


def unanswered(number: int, qname: str, **more: Any) -> Row:
    """A transaction whose query was sent twice, and never answered."""
    response = ("response_time", "latency_us", "rcode", "aa", "tc", "ra", "ad", "answers", "response_bytes")
    return transaction(number, qname, **{"attempts": 2, "outcome": "unanswered"} | dict.fromkeys(response) | more)


def resolution(number: int, asked: str, client: Row = CLIENT, **more: Any) -> Row:
    """Number ``number``, that many tenths of a second after noon: A and AAAA of the name as it stands, answered after 1 ms."""
    start = more.pop("start_time", NOON + timedelta(seconds=number / 10))
    told: Row = {
        "start_time": start,
        "end_time": start + timedelta(milliseconds=1),
        "cluster": "test",
        "resolution_id": f"r{number:06d}",
        "counted": True,
        "forwarded": client["ip"] == COREDNS["ip"],
        "asked": asked,
        "qtypes": "A,AAAA",
        "suffixes": ["."],
        "answered_suffix": ".",
        "outcome": "answered",
        "rcode": "NOERROR",
        "duration_us": 1000,
        "transactions": 2,
        "queries": 2,
        "wasted_queries": 0,
        "wasted_us": 0,
        "retries": 0,
        "unanswered": 0,
        "lost_of_pair": 0,
        "truncated": 0,
        "over_tcp": 0,
        "addresses": ["203.0.113.10"],
        "ttl": 30,
        "connections": 1,
        "failed_connections": 0,
    }
    return _completed(TABLES["resolutions"], told | _end("client_", client) | more)


def capture(cluster: str | None, node: str = "node-1", **more: Any) -> Row:
    """What a capture of an hour from noon on covered."""
    counts = ("packets", "bytes", "cut_packets", "dns_malformed", "evictions")
    overflows = ("pending_overflows", "stream_overflows", "datagram_overflows", "hello_overflows")
    told: Row = {"cluster": cluster, "node": node, "source": f"{cluster}.pcap", "discarded": []}
    told |= {"from_time": NOON, "until_time": NOON + timedelta(hours=1)} | dict.fromkeys((*counts, *overflows), 0)
    return _completed(TABLES["coverage"], told | more)


def make_names(folder: Path, **tables: list[Row]) -> Lake:
    """A lake of nothing but these rows of ``dns``, ``resolutions``, ``flows``, ``objects``, ``coverage``."""
    lake = Lake.create(folder)
    lake.append({name: pa.Table.from_pylist(rows, schema=TABLES[name].schema) for name, rows in tables.items()})
    return lake


def _end(prefix: str, end: Row) -> Row:
    return {prefix + name: value for name, value in end.items()}


def _completed(table: Table, row: Row) -> Row:
    unknown = row.keys() - set(table.schema.names)
    assert not unknown, f"{table.name} has no {sorted(unknown)}"
    return dict.fromkeys(table.schema.names) | row
