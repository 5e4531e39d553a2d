"""Run the SQL steps over sightings: whose address was it, what is behind the Service, which are one connection."""

from dataclasses import dataclass

import duckdb
import pyarrow as pa

from enricher.directory import Directory
from enricher.ends import end_table, external_end
from enricher.memory import Memory
from enricher.sightings import APART_US, Gaps, microseconds, rows
from enricher.sql import fetch, run
from enricher.translations import find_translations

DIRECTORY_STEPS = ("timeline", "service_addresses", "node_ports", "service_owners", "endpoints", "listeners")
OWNER = ("ip", "uid", "kind", "namespace", "name", "workload_kind", "workload", "host_network")


@dataclass(frozen=True)
class Matcher:
    """A directory loaded into a connection, and the ends its records can have."""

    connection: duckdb.DuckDBPyConnection
    directory: Directory
    ends: pa.Table

    @classmethod
    def load(cls, connection: duckdb.DuckDBPyConnection, directory: Directory, addresses: pa.Table) -> "Matcher":
        connection.register("address", addresses)
        connection.register("assignment", _assignments(directory.assignments))
        connection.register("port", directory.ports.append_column("port_id", rows(directory.ports)))
        connection.register("front", directory.fronts)
        connection.register("endpoint", directory.endpoints)
        for step in DIRECTORY_STEPS:
            run(connection, step)
        port_backends = fetch(connection, "port_backends")
        ends = end_table(directory, port_backends["owner"])
        connection.register("port_backend", port_backends)
        connection.register("end_node", pa.table({"end_id": rows(ends), "node": ends["node"]}))
        return cls(connection, directory, ends)

    def match(self, sightings: pa.Table, gaps: Gaps, memory: Memory | None = None) -> pa.Table:
        """One row per sighting, in order (``sql/sighted.sql``); ``memory`` is of connections that were told before."""
        before = memory or Memory.empty()
        self.connection.register("reported", sightings)
        self.connection.register("going_on", before.connections)
        self.connection.register("translated_before", before.translated)
        run(self.connection, "sightings")
        run(self.connection, "places")
        run(self.connection, "backends", apart_us=APART_US)
        find_translations(self.connection)
        run(self.connection, "connections", open_us=gaps.open_us, gap_us=gaps.gap_us)
        owners = self.directory.assignments.num_rows
        return fetch(self.connection, "sighted", owners=owners, external=external_end(self.directory))


def _assignments(assignments: pa.Table) -> pa.Table:
    """Without labels, with its row number as owner and its times as numbers."""
    columns = {name: assignments[name] for name in OWNER}
    columns["owner"] = rows(assignments)
    columns["from_us"] = microseconds(assignments["from_time"])
    columns["until_us"] = microseconds(assignments["until_time"])
    return pa.table(columns)
