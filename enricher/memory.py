"""What an enricher remembers from one round of records to the next, and finds again in the lake after a start."""

from dataclasses import dataclass

import duckdb
import pyarrow as pa

from contract.columns import COUNT, FLAG, TEXT
from enricher.sql import fetch, run

# A connection that goes on is written after five minutes, at the latest.
SILENT_US = 600_000_000
LATE_US = 120_000_000
# About 100 octets each.
MOST_CONNECTIONS = 1_000_000
MOST_TOLD = 500_000
MOST_TRANSLATED = 500_000

CONNECTIONS = pa.schema(
    [
        ("key", TEXT),
        ("connection_id", TEXT),
        ("connection_us", COUNT),
        ("end_us", COUNT),
        ("ended", FLAG),
        ("node", TEXT),
    ]
)
TOLD = pa.schema(
    [
        ("cluster", TEXT),
        ("client_ip", TEXT),
        ("client_owner", TEXT),
        ("response_us", COUNT),
        ("name", TEXT),
        ("until_us", COUNT),
        ("address", TEXT),
    ]
)
TRANSLATED = pa.schema(
    [
        ("tuple", TEXT),
        ("original", TEXT),
        ("from_us", COUNT),
        ("end_us", COUNT),
        ("src_ip", TEXT),
        ("src_port", pa.int32()),
        ("nat_ip", TEXT),
        ("nat_port", pa.int32()),
    ]
)


@dataclass(frozen=True)
class Memory:
    """What may go on: connections, what they were ``translated`` to, and what clients were ``told``.

    The steps ``sql/connections.sql``, ``sql/translations.sql`` and ``sql/told_addresses.sql`` say what the columns mean.
    """

    connections: pa.Table
    told: pa.Table
    translated: pa.Table

    @classmethod
    def empty(cls) -> "Memory":
        return cls(CONNECTIONS.empty_table(), TOLD.empty_table(), TRANSLATED.empty_table())

    def with_other(self, other: "Memory") -> "Memory":
        return Memory(
            pa.concat_tables([self.connections, other.connections]),
            pa.concat_tables([self.told, other.told]),
            pa.concat_tables([self.translated, other.translated]),
        )


def going_on(connection: duckdb.DuckDBPyConnection, ended: pa.Table) -> pa.Table:
    """After ``Matcher.match``; ``ended`` has row and ended of every flow record."""
    connection.register("ended", ended)
    limits = {"silent_us": SILENT_US, "late_us": LATE_US, "most": MOST_CONNECTIONS}
    return fetch(connection, "going_on", **limits).cast(CONNECTIONS)


def still_translated(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """After ``going_on``."""
    return fetch(connection, "still_translated", silent_us=SILENT_US, most=MOST_TRANSLATED).cast(TRANSLATED)


def tell_names(connection: duckdb.DuckDBPyConnection, memory: Memory | None) -> None:
    """After ``sql/aliased.sql``: what was told before belongs to ``told``."""
    if memory and memory.told.num_rows:
        connection.register("told_before", memory.told)
        run(connection, "told_before")


def still_told(connection: duckdb.DuckDBPyConnection, grace_us: int) -> pa.Table:
    return fetch(connection, "still_told", grace_us=grace_us, most=MOST_TOLD).cast(TOLD)
