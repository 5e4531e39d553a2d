"""Flow records and DNS records in the one shape that the SQL steps match: sightings."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from contract.columns import COUNT, TEXT
from contract.flows import FLOWS
from enricher.directory import Directory

# The two interfaces, or nodes, that see one packet stamp it within this time, clocks included.
APART_US = 1_000_000
TCP, UDP = 6, 17
NAT = ("src_nat_ip", "src_nat_port", "dst_nat_ip", "dst_nat_port")
COUNTS = ("src_packets", "src_bytes", "dst_packets", "dst_bytes")
TUNNEL = ("tunnel", "tunnel_id", "tunnel_src_ip", "tunnel_dst_ip")


@dataclass(frozen=True)
class Gaps:
    """When two sightings with one key are no longer one connection (``sql/connections.sql``)."""

    open_us: int
    gap_us: int


FLOW_GAPS = Gaps(open_us=50_000, gap_us=120_000_000)
DNS_GAPS = Gaps(open_us=2_000_000, gap_us=2_000_000)


def flow_sightings(flows: pa.Table, directory: Directory) -> pa.Table:
    return _table(
        flows,
        directory,
        question=_constant(flows, ""),
        protocol=flows["protocol"],
        src_ip=flows["src_ip"],
        src_port=flows["src_port"],
        dst_ip=flows["dst_ip"],
        dst_port=flows["dst_port"],
        start_us=microseconds(flows["start_time"]),
        end_us=microseconds(flows["end_time"]),
        started=flows["started"],
        is_tunnelled=pc.is_valid(flows["tunnel"]),
        **{name: flows[name] for name in (*TUNNEL, *COUNTS, *NAT)},
    )


def dns_sightings(dns: pa.Table, directory: Directory) -> pa.Table:
    question = pc.binary_join_element_wise(
        pc.cast(dns["id"], TEXT), pc.fill_null(dns["qtype"], ""), pc.fill_null(dns["qname"], ""), "|"
    )
    return _table(
        dns,
        directory,
        question=question,
        protocol=pc.if_else(pc.equal(dns["transport"], "tcp"), TCP, UDP),
        src_ip=dns["client_ip"],
        src_port=dns["client_port"],
        dst_ip=dns["server_ip"],
        dst_port=dns["server_port"],
        start_us=microseconds(dns["start_time"]),
        end_us=microseconds(pc.coalesce(dns["response_time"], dns["start_time"])),
        started=pc.is_valid(dns["query_time"]),
        is_tunnelled=_constant(dns, False),
        **{name: pa.nulls(dns.num_rows, FLOWS.collected.field(name).type) for name in (*TUNNEL, *COUNTS, *NAT)},
    )


def rows(table: pa.Table) -> pa.Array:
    """The number of each row; results come back by it."""
    return pa.array(np.arange(table.num_rows, dtype=np.int64))


def clusters(table: pa.Table) -> pa.ChunkedArray:
    """The cluster of each row; in the SQL steps, which join on it, the one that was not told is the empty text."""
    return pc.fill_null(table["cluster"], "")


def microseconds(times: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.cast(times, COUNT)


def known(table: pa.Table, directory: Directory) -> pa.ChunkedArray:
    """Whether the directory can speak for a row: it holds objects, and they are of the row's cluster."""
    if directory.is_empty or directory.cluster is None:
        return _constant(table, not directory.is_empty)
    return pc.fill_null(pc.equal(table["cluster"], directory.cluster), True)


def _table(records: pa.Table, directory: Directory, **columns: pa.ChunkedArray) -> pa.Table:
    common = {
        "row": rows(records),
        "cluster": clusters(records),
        "node": records["node"],
        "interface": records["interface"],
        "is_known": known(records, directory),
    }
    return pa.table(common | columns)


def _constant(table: pa.Table, value: str | bool) -> pa.Array:
    return pa.repeat(pa.scalar(value), table.num_rows)
