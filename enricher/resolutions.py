"""Transactions of one resolver call as one resolution, and what else is told of a transaction by others beside it."""

from dataclasses import dataclass

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from contract.columns import COUNT, TIME
from contract.resolutions import AS_IT_STANDS, RESOLUTIONS
from enricher.registered import CLUSTER_DOMAIN, registered_domains
from enricher.sightings import clusters, microseconds, rows
from enricher.sql import fetch, run

# An ingest of the time before or after may know more of what lies so near to the ends of this one.
EDGE_US = 15_000_000
# A resolver goes on to the next step at once, on a busy machine a little later.
NEAR_US = 1_000_000
# Who resolves a name to connect does so within this time.
HORIZON_US = 10_000_000
# The shortest wait before a resolver asks again.
STALL_US = 1_000_000
# Search domains of nodes that are looked for, those of most clients first; others leave their steps single resolutions.
MOST_SEARCH_DOMAINS = 8
# Domains of clusters that are believed besides cluster.local, those of most clients first.
MOST_DOMAINS = 4
# Addresses of a resolution that are kept, in order of their text.
MOST_ADDRESSES = 64
# A query without a response kept its resolver waiting; how long is not seen, but the collector waits so long. So late, at
# most, a resolver repeats it.
PENDING_US = 10_000_000

# What the SQL steps read of a completed record.
TAKEN = (
    *("transaction_id", "node", "interface", "reporter", "client_ip", "client_port", "client_namespace"),
    *("client_node", "server_ip", "server_port", "server_node", "transport", "qname", "qtype", "rcode", "tc", "aa"),
    *("id", "answers", "attempts", "outcome", "query_time"),
)
ESTABLISHED = ("S1", "SF", "S2", "S3", "RSTO", "RSTR", "OTH")


@dataclass(frozen=True)
class Resolved:
    """``transactions``: the columns that the dns table lacks, in its order."""

    transactions: dict[str, pa.ChunkedArray]
    resolutions: pa.Table


def resolve(
    connection: duckdb.DuckDBPyConnection,
    dns: pa.Table,
    backend_ip: pa.ChunkedArray,
    flows: pa.Table,
) -> Resolved:
    connection.register("completed", _completed(dns, backend_ip))
    connection.register("connected", _connected(flows))
    run(connection, "transaction_sightings", edge_us=EDGE_US)
    run(connection, "transactions")
    told = fetch(connection, "upstreams")
    run(connection, "queries")
    run(connection, "cluster_domains", domain=CLUSTER_DOMAIN, most=MOST_DOMAINS)
    run(connection, "search_begun")
    run(connection, "search_domains", near_us=NEAR_US, most=MOST_SEARCH_DOMAINS)
    run(connection, "search_steps", near_us=NEAR_US)
    run(connection, "resolved", near_us=NEAR_US, again_us=PENDING_US)
    transactions = {name: told[name] for name in told.schema.names}
    transactions["resolution_id"] = fetch(connection, "resolution_ids")["resolution_id"]
    transactions["registered_domain"] = registered_domains(dns["qname"])
    return Resolved(transactions, _resolutions(connection, dns, transactions["forwarded"]))


def _completed(dns: pa.Table, backend_ip: pa.ChunkedArray) -> pa.Table:
    start = microseconds(dns["start_time"])
    until = pc.if_else(pc.equal(dns["outcome"], "unanswered"), pc.add(start, PENDING_US), start)
    columns = {name: dns[name] for name in TAKEN}
    columns |= {"row": rows(dns), "cluster": clusters(dns)}
    columns |= {"client": _client(dns), "server": _server(dns, backend_ip), "client_ip": _of_its_node(dns)}
    columns |= {"start_us": start, "end_us": pc.coalesce(microseconds(dns["response_time"]), until)}
    return pa.table(columns)


def _client(dns: pa.Table) -> pa.ChunkedArray:
    """Who asks, as ``_server`` names who is asked: a node has several addresses."""
    return pc.if_else(_is(dns["client_kind"], "node"), _on(dns["client_node"]), dns["client_ip"])


def _server(dns: pa.Table, backend_ip: pa.ChunkedArray) -> pa.ChunkedArray:
    """A cache on the node itself answers at an address that every node has."""
    at = pc.coalesce(backend_ip, dns["server_ip"])
    at = pc.if_else(_is(dns["server_kind"], "node"), _on(dns["server_node"]), at)
    own = pc.and_(_is_local(dns["server_ip"]), pc.is_valid(dns["client_node"]))
    return pc.if_else(own, _on(dns["client_node"]), at)


def _of_its_node(dns: pa.Table) -> pa.ChunkedArray:
    """The client's address; one that every node has is another on each."""
    node = pc.fill_null(dns["node"], "")
    with_node = pc.binary_join_element_wise(dns["client_ip"], node, "%")
    return pc.if_else(_is_local(dns["client_ip"]), with_node, dns["client_ip"])


def _on(node: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.binary_join_element_wise("node", pc.fill_null(node, ""), "/")


def _is(kind: pa.ChunkedArray, word: str) -> pa.ChunkedArray:
    return pc.fill_null(pc.equal(kind, word), False)


def _is_local(addresses: pa.ChunkedArray) -> pa.ChunkedArray:
    """Loopback and link-local addresses (RFC 1122 §3.2.1.3, RFC 3927, RFC 4291 §2.5)."""
    return pc.match_substring_regex(addresses, r"^(127\.|169\.254\.|::1$|fe[89ab])")


def _connected(flows: pa.Table) -> pa.Table:
    columns = {name: flows[name] for name in ("src_ip", "dst_ip", "connection_id", "application")}
    columns["node"] = pc.fill_null(flows["node"], "")
    columns |= {"cluster": clusters(flows), "start_us": microseconds(flows["start_time"])}
    is_open = pc.is_in(flows["connection_state"], value_set=pa.array(ESTABLISHED))
    columns["failed"] = pc.and_(pc.equal(flows["protocol"], 6), pc.invert(is_open))
    return pa.table(columns)


def _resolutions(connection: duckdb.DuckDBPyConnection, dns: pa.Table, forwarded: pa.ChunkedArray) -> pa.Table:
    starts = pc.max(microseconds(dns["start_time"])).as_py() or 0
    limits = {"until_us": starts, "horizon_us": HORIZON_US, "stall_us": STALL_US, "most": MOST_ADDRESSES}
    summed = fetch(connection, "resolution_sums", **limits)
    first = dns.append_column("forwarded", forwarded).take(summed["row"])
    columns = {name: first[name] for name in RESOLUTIONS.schema.names if name in first.schema.names}
    columns |= {name: summed[name] for name in RESOLUTIONS.schema.names if name in summed.schema.names}
    columns |= {"start_time": _times(summed["start_us"]), "end_time": _times(summed["end_us"])}
    columns["registered_domain"] = _registered(summed)
    arrays = [columns[field.name].cast(field.type) for field in RESOLUTIONS.schema]
    return pa.Table.from_arrays(arrays, schema=RESOLUTIONS.schema)


def _registered(summed: pa.Table) -> pa.ChunkedArray:
    """Not of a name that the search path made one of the cluster."""
    found = registered_domains(summed["asked"])
    is_inside = pc.fill_null(pc.not_equal(summed["answered_suffix"], AS_IT_STANDS), False)
    return pc.if_else(is_inside, pa.scalar(None, found.type), found)


def _times(microseconds: pa.ChunkedArray) -> pa.ChunkedArray:
    return microseconds.cast(COUNT).cast(TIME)
