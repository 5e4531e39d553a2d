"""Complete the collected tables: names for addresses, one id for the sightings of one connection."""

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from contract.assignments import ASSIGNMENTS
from contract.columns import Table
from contract.dns import DNS
from contract.flows import FLOWS
from contract.resolutions import RESOLUTIONS
from enricher.addresses import address_table
from enricher.community import community_ids
from enricher.counted import counted
from enricher.directory import Directory
from enricher.domains import GRACE_US, Matched, domains
from enricher.ends import ends_of, services_of
from enricher.matching import Matcher
from enricher.memory import Memory, going_on, still_told, still_translated
from enricher.resolutions import resolve
from enricher.retries import retries
from enricher.sightings import DNS_GAPS, FLOW_GAPS, dns_sightings, flow_sightings, rows
from enricher.sql import connect

# End reasons of a record whose connection goes on in another one.
GOING_ON = ("active", "evicted")


@dataclass(frozen=True)
class Enriched:
    """The same rows in the same order, complete, what they add up to, and the assignments they were named by.

    ``memory`` is for the next call.
    """

    flows: pa.Table
    dns: pa.Table
    resolutions: pa.Table
    assignments: pa.Table
    memory: Memory | None = None


def enrich(flows: pa.Table, dns: pa.Table, directory: Directory, memory: Memory | None = None) -> Enriched:
    """Takes ``FLOWS.collected`` and ``DNS.collected``; what belongs together has to come in one call, or with ``memory``."""
    FLOWS.validate(flows, FLOWS.collected)
    DNS.validate(dns, DNS.collected)
    before = (memory or Memory.empty()).translated["src_ip"]
    addresses = address_table((flows["src_ip"], flows["dst_ip"], dns["client_ip"], dns["server_ip"], before), directory)
    with connect() as connection:
        matcher = Matcher.load(connection, directory, addresses)
        asked = Matched(dns, matcher.match(dns_sightings(dns, directory), DNS_GAPS))
        seen = Matched(flows, matcher.match(flow_sightings(flows, directory), FLOW_GAPS, memory))
        connections = going_on(connection, _ended(flows)) if memory else None
        translated = still_translated(connection) if memory else None
        named = _flows(matcher, seen, asked, memory)
        remembered = Memory(connections, still_told(connection, GRACE_US), translated) if memory else None
        transactions, resolutions = _dns(matcher, asked, named)
    enriched = Enriched(named, transactions, resolutions, directory.assignments, remembered)
    FLOWS.validate(enriched.flows)
    DNS.validate(enriched.dns)
    RESOLUTIONS.validate(enriched.resolutions)
    ASSIGNMENTS.validate(enriched.assignments)
    return enriched


def _ended(flows: pa.Table) -> pa.Table:
    """One written for its length goes on; of one that fell silent nothing more is expected."""
    goes_on = pc.is_in(flows["end_reason"], value_set=pa.array(GOING_ON))
    return pa.table({"row": rows(flows), "ended": pc.invert(goes_on)})


def _flows(matcher: Matcher, seen: Matched, asked: Matched, memory: Memory | None) -> pa.Table:
    flows, matched = seen.records, seen.matched
    named = domains(matcher, seen, asked, memory)
    added = {
        "reporter": matched["reporter"],
        "community_id": community_ids(matcher.connection, flows),
        "connection_id": matched["connection_id"],
        **ends_of(matcher.ends, "src_", matched["src_end"]),
        **ends_of(matcher.ends, "dst_", matched["dst_end"]),
        **services_of(matcher.directory, matched["service_id"]),
        "backend_ip": matched["backend_ip"],
        "backend_port": matched["backend_port"],
        "src_nat_ip": matched["src_nat_ip"],
        "src_nat_port": matched["src_nat_port"],
        **named,
        "ambiguous": pc.or_(matched["ambiguous"], pc.fill_null(named["ambiguous"], False)),
    }
    columns = {name: flows[name] for name in flows.schema.names} | added
    return _completed(FLOWS, flows, added | counted(matcher.connection, pa.table(columns)))


def _dns(matcher: Matcher, asked: Matched, flows: pa.Table) -> tuple[pa.Table, pa.Table]:
    dns, matched = asked.records, asked.matched
    added = {
        "reporter": matched["reporter"],
        "transaction_id": matched["connection_id"],
        "retry_of": retries(matcher.connection, dns, matched["connection_id"]),
        **ends_of(matcher.ends, "client_", matched["src_end"]),
        **ends_of(matcher.ends, "server_", matched["dst_end"]),
        **services_of(matcher.directory, matched["service_id"]),
        "ambiguous": matched["ambiguous"],
    }
    columns = {name: dns[name] for name in dns.schema.names} | added
    resolved = resolve(matcher.connection, pa.table(columns), matched["backend_ip"], flows)
    return _completed(DNS, dns, added | resolved.transactions), resolved.resolutions


def _completed(table: Table, collected: pa.Table, added: dict[str, pa.ChunkedArray]) -> pa.Table:
    columns = {name: collected[name] for name in collected.schema.names} | added
    arrays = [columns[field.name].cast(field.type) for field in table.schema]
    return pa.Table.from_arrays(arrays, schema=table.schema)
