"""Truncated answers and the queries over TCP that ask for them again."""

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from enricher.sightings import clusters, microseconds, rows
from enricher.sql import fetch

WAIT_US = 10_000_000  # a client that waits longer for its second try has given up
QUESTION = ("client_ip", "server_ip", "qname", "qtype")


def retries(connection: duckdb.DuckDBPyConnection, dns: pa.Table, transaction_id: pa.ChunkedArray) -> pa.Array:
    """``retry_of`` of every transaction."""
    columns = {name: dns[name] for name in QUESTION}
    columns |= {"row": rows(dns), "cluster": clusters(dns), "transaction_id": transaction_id}
    over_tcp = pc.equal(dns["transport"], "tcp")
    cut = pc.and_(pc.fill_null(dns["tc"], False), pc.invert(over_tcp))
    connection.register("truncated", pa.table(columns | {"at_us": microseconds(dns["response_time"])}).filter(cut))
    connection.register("repeated", pa.table(columns | {"at_us": microseconds(dns["start_time"])}).filter(over_tcp))
    found = fetch(connection, "retries", wait_us=WAIT_US)
    positions = pc.index_in(rows(dns), value_set=found["row"].combine_chunks())
    return found["retry_of"].combine_chunks().take(positions)
