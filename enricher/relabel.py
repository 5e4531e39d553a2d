"""Stored records enriched again: what is known now in place of what was known when they were written."""

from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from contract.columns import TEXT, TIME, Table
from contract.dns import DNS
from contract.ends import END
from contract.flows import FLOWS
from enricher.directory import Directory
from enricher.enrich import enrich
from enricher.sightings import microseconds, rows
from enricher.sql import connect, fetch

# Any order will do that does not depend on where a record was stored: ties are broken by it.
FLOW_ORDER = (
    *("start_time", "end_time", "node", "interface", "src_ip", "src_port", "dst_ip", "dst_port", "protocol"),
    *("tunnel", "tunnel_id", "vlan", "icmp_type", "icmp_code", "src_packets", "dst_packets", "src_bytes", "dst_bytes"),
)
DNS_ORDER = (
    *("start_time", "response_time", "node", "interface", "client_ip", "client_port", "server_ip", "server_port"),
    *("transport", "id", "qname", "qtype", "attempts", "query_bytes", "response_bytes"),
)
RESOLUTION_ORDER = ("start_time", "client_ip", "asked", "resolution_id")
HERE = "here"


@dataclass(frozen=True)
class Records:
    """Complete rows; ``resolutions`` are those that begin in the time of the others."""

    flows: pa.Table
    dns: pa.Table
    resolutions: pa.Table


@dataclass(frozen=True)
class Window:
    """[since, until) is enriched again; what lies before it, and from ``settled_from`` on, keeps its ids."""

    since: datetime
    until: datetime
    settled_from: datetime


@dataclass(frozen=True)
class Relabelled:
    """The rows of a window before and after, in one order."""

    before: Records
    after: Records


@dataclass(frozen=True)
class Changes:
    """``ends`` of records that have another label now; a record that changed may have the same."""

    records: int = 0
    changed: int = 0
    ends: int = 0

    def __add__(self, other: "Changes") -> "Changes":
        return Changes(self.records + other.records, self.changed + other.changed, self.ends + other.ends)


def relabel(window: Window, inside: Records, around: Records, directory: Directory) -> Relabelled:
    """``around`` has what tells of the rows ``inside`` the window from outside of it."""
    flows = _together(inside.flows, around.flows, FLOW_ORDER)
    dns = _together(inside.dns, around.dns, DNS_ORDER)
    enriched = enrich(_collected(FLOWS, flows), _collected(DNS, dns), directory)
    connections = _kept_ids(window, flows, enriched.flows, "connection_id")
    transactions = _kept_ids(window, dns, enriched.dns, "transaction_id")
    begun = pc.and_(
        pc.greater_equal(enriched.resolutions["start_time"], pa.scalar(window.since, TIME)),
        pc.less(enriched.resolutions["start_time"], pa.scalar(window.until, TIME)),
    )
    resolutions = _renamed(enriched.resolutions.filter(begun), transactions, ("resolution_id",))
    ids = ("transaction_id", "retry_of", "resolution_id")
    return Relabelled(
        Records(_here(FLOWS, flows, flows), _here(DNS, dns, dns), _ordered(inside.resolutions, RESOLUTION_ORDER)),
        Records(
            _renamed(_here(FLOWS, enriched.flows, flows), connections, ("connection_id",)),
            _renamed(_here(DNS, enriched.dns, dns), transactions, ids),
            _ordered(resolutions, RESOLUTION_ORDER),
        ),
    )


def changes(relabelled: Relabelled) -> Changes:
    flows = _changes(relabelled.before.flows, relabelled.after.flows, ("src_", "dst_"))
    dns = _changes(relabelled.before.dns, relabelled.after.dns, ("client_", "server_"))
    return flows + dns


def _together(inside: pa.Table, around: pa.Table, order: tuple[str, ...]) -> pa.Table:
    marked = [
        table.append_column(HERE, pa.repeat(pa.scalar(here), table.num_rows))
        for table, here in ((inside, True), (around, False))
    ]
    return _ordered(pa.concat_tables(marked), order)


def _ordered(table: pa.Table, order: tuple[str, ...]) -> pa.Table:
    return table.sort_by([(name, "ascending") for name in order])


def _collected(table: Table, stored: pa.Table) -> pa.Table:
    return stored.select(table.collected.names).cast(table.collected)


def _here(table: Table, found: pa.Table, stored: pa.Table) -> pa.Table:
    return found.select(table.schema.names).filter(stored[HERE]).cast(table.schema)


def _kept_ids(window: Window, stored: pa.Table, enriched: pa.Table, name: str) -> pa.Table:
    times = stored["start_time"]
    outside = pc.or_(
        pc.less(times, pa.scalar(window.since, TIME)), pc.greater_equal(times, pa.scalar(window.settled_from, TIME))
    )
    told = {
        "row": rows(stored),
        "start_us": microseconds(times),
        "stored_id": stored[name],
        "new_id": enriched[name],
        "is_settled": outside,
    }
    with connect() as connection:
        connection.register("told", pa.table(told))
        return fetch(connection, "kept_ids")


def _renamed(table: pa.Table, kept: pa.Table, names: tuple[str, ...]) -> pa.Table:
    for name in names:
        place = table.schema.get_field_index(name)
        found = pc.index_in(table[name], value_set=kept["new_id"].combine_chunks())
        ids = pc.coalesce(kept["stored_id"].combine_chunks().take(found.combine_chunks()).cast(TEXT), table[name])
        table = table.set_column(place, table.schema.field(place), ids)
    return table


def _changes(before: pa.Table, after: pa.Table, ends: tuple[str, str]) -> Changes:
    with connect() as connection:
        for name, table in (("before", before), ("after", after)):
            one, other = (table.select([end + column.name for column in END]).to_struct_array() for end in ends)
            columns = {"row": rows(table), "record": table.to_struct_array(), "one": one, "other": other}
            connection.register(name, pa.table(columns))
        (found,) = fetch(connection, "relabelled").to_pylist()
    return Changes(**found)
