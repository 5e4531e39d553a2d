"""Community IDs of flows."""

import duckdb
import pyarrow as pa

from enricher.sightings import rows
from enricher.sql import fetch

TUPLE = ("src_ip", "src_port", "dst_ip", "dst_port", "protocol", "icmp_type", "icmp_code")


def community_ids(connection: duckdb.DuckDBPyConnection, flows: pa.Table) -> pa.ChunkedArray:
    """In the order of the rows. Needs the table ``address``."""
    connection.register("flow", flows.select(TUPLE).append_column("row", rows(flows)))
    return fetch(connection, "community_ids")["community_id"]
