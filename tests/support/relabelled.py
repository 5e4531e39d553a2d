"""Lakes to be relabelled, and their rows in one order whatever files they lie in."""

from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from cli.relabelling import Relabelling
from contract.columns import TIME
from contract.dns import DNS
from contract.flows import FLOWS
from contract.tables import TABLES
from enricher.directory import Directory
from enricher.enrich import enrich
from enricher.kubernetes import read_dump
from enricher.relabel import DNS_ORDER, FLOW_ORDER, RESOLUTION_ORDER, Changes
from store.lake import Lake
from tests.support.arrivals import arrivals
from tests.support.sample import OBJECTS

CLUSTER = "shop"
ORDERS = {
    "flows": ("flow_records", FLOW_ORDER),
    "dns": ("dns_records", DNS_ORDER),
    "resolutions": ("resolution_records", RESOLUTION_ORDER),
}
FIRST = timedelta(seconds=25)
NOW = datetime(2026, 12, 1, tzinfo=UTC)


@cache
def directory() -> Directory:
    return read_dump(OBJECTS, CLUSTER)


@cache
def collected() -> dict[str, pa.Table]:
    """The records of the sample's first seconds as its collectors made them."""
    arrived = arrivals(CLUSTER, 60)
    tables = {
        table.name: pa.Table.from_batches([one.batch for one in arrived if one.table == table.name], table.collected)
        for table in (FLOWS, DNS)
    }
    until = pa.scalar(pc.min(tables[FLOWS.name]["start_time"]).as_py() + FIRST, TIME)
    return {name: table.filter(pc.less(table["start_time"], until)) for name, table in tables.items()}


def known_lake(folder: Path) -> Lake:
    """Without records."""
    lake = Lake.create(folder)
    lake.append({"assignments": directory().assignments, "objects": directory().objects})
    return lake


def add(lake: Lake, records: dict[str, pa.Table], by: Directory) -> None:
    enriched = enrich(records["flows"], records["dns"], by)
    lake.append({name: getattr(enriched, name) for name in ORDERS})


def records(lake: Lake, table: str) -> pa.Table:
    view, order = ORDERS[table]
    with lake.connect() as views:
        rows = views.sql(f"select * from {view}").to_arrow_table().cast(TABLES[table].schema)
    return rows.sort_by([(name, "ascending") for name in order])


def everything(lake: Lake) -> dict[str, pa.Table]:
    return {table: records(lake, table) for table in ORDERS}


def relabel(
    lake: Lake,
    since: datetime | None = None,
    until: datetime | None = None,
    dump: Directory | None = None,
    dry_run: bool = False,
) -> Changes:
    span = lake.span()
    assert span
    work = Relabelling(lake, CLUSTER, since or span[0], until or span[1] + timedelta(seconds=1), dry_run, lambda: NOW)
    return sum((changes for _, changes in work.run(dump)), Changes())


def with_own_ids(lake: dict[str, pa.Table]) -> dict[str, pa.Table]:
    """Connections by the place of their first record: an id that was told before is kept, whatever a file's would be."""
    flows = lake["flows"]
    ids = flows["connection_id"].combine_chunks()
    numbers = pc.cast(pc.index_in(ids, value_set=ids.unique()), pa.string())
    place = flows.schema.get_field_index("connection_id")
    return lake | {"flows": flows.set_column(place, flows.schema.field(place), numbers)}


def differing(one: dict[str, pa.Table], other: dict[str, pa.Table]) -> list[str]:
    """Columns in which two lakes differ."""
    found = [
        f"{table}: {one[table].num_rows} and {other[table].num_rows}"
        for table in one
        if one[table].num_rows != other[table].num_rows
    ]
    return found or [
        f"{table}.{name}"
        for table in one
        for name in one[table].schema.names
        if not one[table][name].combine_chunks().equals(other[table][name].combine_chunks())
    ]
