"""What an enricher that starts, or takes over a node, finds in the lake of what another remembered."""

from datetime import datetime, timedelta
from typing import Protocol

import duckdb

from enricher.domains import GRACE_US, tell
from enricher.memory import CONNECTIONS, SILENT_US, TRANSLATED, Memory, still_told
from enricher.sql import connect, text


class Lake(Protocol):
    def connect(self, since: datetime | None = None) -> duckdb.DuckDBPyConnection:
        """The views over the rows from ``since`` on."""

    def span(self) -> tuple[datetime, datetime] | None:
        """First and last time of its records."""


def recall(lake: Lake, now: datetime) -> Memory:
    """Of the lake's last records: it may be long ago that somebody wrote any."""
    span = lake.span()
    now = min(now, span[1]) if span else now
    with lake.connect(now - timedelta(microseconds=SILENT_US)) as records:
        connections = records.sql(text("recalled_connections")).to_arrow_table().cast(CONNECTIONS)
        translated = records.sql(text("recalled_translations")).to_arrow_table().cast(TRANSLATED)
    with lake.connect(now - timedelta(microseconds=GRACE_US)) as records:
        answers = records.sql(text("recalled_answers")).to_arrow_table()
    with connect() as connection:
        tell(connection, answers)
        return Memory(connections, still_told(connection, GRACE_US), translated)
