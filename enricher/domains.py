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
) -> pa.Table:
    """``dst_domain``, ``domain_method`` and ``ambiguous`` (several names were valid) of every flow."""
    connection.register("dns", _answers(dns))
    connection.register("outgoing", _outgoing(flows, matched, directory))
    run(connection, "resolutions")
    run(connection, "name_counts")
    named = fetch(connection, "domains", grace_us=GRACE_US)
    return _spread(named, flows)


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


def _spread(named: pa.Table, flows: pa.Table) -> pa.Table:
    """Rows that are not in ``named`` are NULL."""
    positions = pc.index_in(rows(flows), value_set=named["row"])
    return named.drop_columns("row").combine_chunks().take(positions)
