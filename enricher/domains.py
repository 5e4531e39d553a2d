"""The names by which clients knew the addresses they went to."""

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from enricher.directory import Directory
from enricher.ends import external_end
from enricher.sightings import clusters, known, microseconds, rows
from enricher.sql import fetch, run

# A program may hold on to an answer longer than its TTL allows; the name still tells more than the bare address.
GRACE_US = 3_600_000_000


def domains(
    connection: duckdb.DuckDBPyConnection, flows: pa.Table, dns: pa.Table, matched: pa.Table, directory: Directory
) -> tuple[pa.Array, pa.Array]:
    """``dst_domain`` and ``domain_method`` of every flow."""
    connection.register("dns", _answers(dns))
    connection.register("outgoing", _outgoing(flows, matched, directory))
    run(connection, "resolutions")
    named = fetch(connection, "domains", grace_us=GRACE_US)
    return _spread(named, "dst_domain", flows.num_rows), _spread(named, "domain_method", flows.num_rows)


def _answers(dns: pa.Table) -> pa.Table:
    columns = {name: dns[name] for name in ("client_ip", "qname", "rcode", "answers")}
    columns |= {"row": rows(dns), "cluster": clusters(dns), "response_us": microseconds(dns["response_time"])}
    return pa.table(columns)


def _outgoing(flows: pa.Table, matched: pa.Table, directory: Directory) -> pa.Table:
    """Flows to the outside; without objects to tell what is outside, all of them."""
    outside = pc.fill_null(pc.equal(matched["dst_end"], external_end(directory)), False)
    columns = {name: flows[name] for name in ("src_ip", "dst_ip", "tls_sni")}
    columns |= {"row": rows(flows), "cluster": clusters(flows), "connection_us": matched["connection_us"]}
    return pa.table(columns).filter(pc.or_(outside, pc.invert(known(flows, directory))))


def _spread(named: pa.Table, name: str, count: int) -> pa.Array:
    """Rows that are not in ``named`` are NULL."""
    positions = pc.index_in(pa.array(range(count), pa.int64()), value_set=named["row"])
    return named[name].combine_chunks().take(positions)
