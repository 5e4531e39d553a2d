"""Two ingests may be given the same packets: the later one counts what the lake does not tell yet (``sql/told.sql``)."""

from dataclasses import replace
from typing import Protocol

import pyarrow as pa

from contract.dns import DNS
from contract.resolutions import RESOLUTIONS
from enricher.enrich import Enriched
from enricher.sightings import rows
from enricher.sql import connect, fetch

COUNTED = "counted"


class Lake(Protocol):
    def sharing(self, table: str, key: str, records: pa.Table) -> pa.Table:
        """Key and ``counted`` of the rows of ``table`` that have a ``key`` of ``records``."""


def beside(enriched: Enriched, lake: Lake) -> Enriched:
    """Comes before anything of ``enriched`` is in the lake."""
    dns = _beside(enriched.dns, lake, DNS.name, "transaction_id")
    resolutions = _beside(enriched.resolutions, lake, RESOLUTIONS.name, "resolution_id")
    return replace(enriched, dns=dns, resolutions=resolutions)


def _beside(written: pa.Table, lake: Lake, table: str, key: str) -> pa.Table:
    there = lake.sharing(table, key, written)
    if not there.num_rows:
        return written
    columns = written.select([key, COUNTED]).rename_columns(["id", COUNTED])
    with connect() as connection:
        connection.register("written", columns.append_column("row", rows(written)))
        connection.register("there", there.rename_columns(["id", COUNTED]))
        counted = fetch(connection, "told")[COUNTED]
    place = written.schema.get_field_index(COUNTED)
    return written.set_column(place, written.schema.field(place), counted)
