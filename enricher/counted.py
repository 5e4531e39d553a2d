"""By which record each connection is counted (``sql/counted.sql``)."""

import duckdb
import pyarrow as pa

from enricher.sightings import rows
from enricher.sql import fetch

COLUMNS = ("counted", "connection_records")


def counted(connection: duckdb.DuckDBPyConnection, flows: pa.Table) -> dict[str, pa.ChunkedArray]:
    """The two columns that ``flows`` lacks, in its order."""
    connection.register("completed", flows.append_column("row", rows(flows)))
    found = fetch(connection, "counted")
    connection.unregister("completed")
    return {name: found[name] for name in COLUMNS}
