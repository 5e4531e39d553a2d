"""The names by which clients knew the addresses they went to (docs/outside-names.md)."""

from dataclasses import dataclass

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from contract.columns import COUNT, TEXT
from enricher.directory import Directory
from enricher.ends import external_end
from enricher.matching import Matcher
from enricher.memory import Memory, tell_names
from enricher.registered import registered_domains
from enricher.sightings import clusters, known, microseconds, rows
from enricher.sql import changed, fetch, run

# A program may hold on to an answer longer than its TTL allows; the name still tells more than the bare address.
GRACE_US = 3_600_000_000
# Resolvers give up on longer chains; a longer one is named by the last so many of its names.
MAX_HOPS = 8
# Listed beside a name. A sighting is an answer of its own, so the latest answers are more than the names they may have.
MAX_ALTERNATIVES = 8
RECENT_ANSWERS = 16
OWNER = ("namespace", "workload_kind", "workload")


@dataclass(frozen=True)
class Hearers:
    """Whose answers may name a destination; the number is that of ``sql/heard.sql``."""

    whose: int
    column: str
    slack_us: int
    grace_us: int


CLIENT = Hearers(0, "src_ip", slack_us=0, grace_us=GRACE_US)
# When src was told by itself is not known, so that theirs count as long before as after.
WORKLOAD = Hearers(1, "src_owner", slack_us=GRACE_US, grace_us=0)
CLUSTER = Hearers(2, "anyone", slack_us=GRACE_US, grace_us=0)


@dataclass(frozen=True)
class Matched:
    """Records with what ``Matcher.match`` says of them."""

    records: pa.Table
    matched: pa.Table


def domains(matcher: Matcher, flows: Matched, dns: Matched, memory: Memory | None) -> dict[str, pa.ChunkedArray]:
    """The columns of every flow that tell its destination's name, and ``ambiguous``: several names were valid."""
    connection, directory, owners = matcher.connection, matcher.directory, _owners(matcher.ends)
    outgoing = _outgoing(flows, owners, directory)
    connection.register("outgoing", outgoing)
    tell(connection, _answers(dns, owners))
    tell_names(connection, memory)
    own = _heard(connection, outgoing, CLIENT)
    unnamed = outgoing.filter(pc.invert(pc.is_in(outgoing["row"], value_set=own["row"])))
    connection.register("by_client", own)
    connection.register("by_workload", _with_party(_heard(connection, unnamed, WORKLOAD)))
    connection.register("by_cluster", _with_party(_heard(connection, unnamed, CLUSTER)))
    found = _spread(fetch(connection, "domains"), flows.records)
    columns = {name: found[name] for name in found.schema.names}
    return columns | {"dst_registered_domain": registered_domains(found["dst_domain"])}


def tell(connection: duckdb.DuckDBPyConnection, answers: pa.Table) -> None:
    """From answers to ``told``: who was told which address for which name, and how long it was good."""
    connection.register("dns", answers)
    for step in ("answer_records", "told_addresses", "aliases", "alias_starts"):
        run(connection, step)
    hops = 0
    while hops < MAX_HOPS and changed(connection, "alias_hops"):
        hops += 1
    run(connection, "aliased")


def _owners(ends: pa.Table) -> pa.Array:
    """The workload of each end as one text, NULL where it is unknown."""
    return pc.binary_join_element_wise(*(pc.cast(ends[name], TEXT) for name in OWNER), "/").combine_chunks()


def _answers(dns: Matched, owners: pa.Array) -> pa.Table:
    records = dns.records
    columns = {name: records[name] for name in ("client_ip", "qname", "rcode", "answers")}
    columns |= {"row": rows(records), "cluster": clusters(records)}
    columns |= {"response_us": microseconds(records["response_time"])}
    return pa.table(columns | {"client_owner": owners.take(dns.matched["src_end"])})


def _outgoing(flows: Matched, owners: pa.Array, directory: Directory) -> pa.Table:
    """Flows to the outside; without objects to tell what is outside, all of them."""
    records, matched = flows.records, flows.matched
    outside = pc.fill_null(pc.equal(matched["dst_end"], external_end(directory)), False)
    columns = {name: records[name] for name in ("src_ip", "dst_ip", "tls_ech")}
    columns |= {"row": rows(records), "cluster": clusters(records), "connection_us": matched["connection_us"]}
    columns |= {"src_owner": owners.take(matched["src_end"])}
    columns |= {"sni": pc.utf8_rtrim(pc.utf8_lower(records["tls_sni"]), ".")}
    columns |= {"anyone": pa.repeat(pa.scalar(""), records.num_rows)}
    return pa.table(columns).filter(pc.or_(outside, pc.invert(known(records, directory))))


def _heard(connection: duckdb.DuckDBPyConnection, outgoing: pa.Table, hearers: Hearers) -> pa.Table:
    columns = {name: outgoing[name] for name in ("row", "cluster", "connection_us", "sni")}
    columns |= {"hearer": outgoing[hearers.column], "address": outgoing["dst_ip"]}
    connection.register("asking", pa.table(columns))
    run(connection, "pairs")
    run(connection, "heard", whose=hearers.whose, slack_us=hearers.slack_us)
    run(connection, "name_counts")
    return fetch(connection, "names_heard", grace_us=hearers.grace_us, recent=RECENT_ANSWERS, others=MAX_ALTERNATIVES)


def _with_party(heard: pa.Table) -> pa.Table:
    """``one_party``: the valid names are one, or they are all listed and of one registered domain."""
    heard = heard.combine_chunks()
    others = heard["others"].combine_chunks() if heard.num_rows else pa.array([], pa.list_(TEXT))
    own = registered_domains(heard["name"]).take(pc.list_parent_indices(others))
    differs = pc.fill_null(pc.not_equal(registered_domains(pa.chunked_array([pc.list_flatten(others)])), own), True)
    several = pc.unique(pc.list_parent_indices(others).filter(differs.combine_chunks()))
    listed = pc.add(pc.fill_null(pc.list_value_length(others), 0), 1)
    whole = pc.less_equal(heard["names"], pc.cast(listed, COUNT))
    return heard.append_column("one_party", pc.and_(whole, pc.invert(pc.is_in(rows(heard), value_set=several))))


def _spread(named: pa.Table, flows: pa.Table) -> pa.Table:
    """Rows that are not in ``named`` are NULL."""
    positions = pc.index_in(rows(flows), value_set=named["row"])
    return named.drop_columns("row").combine_chunks().take(positions)
