"""From the kernels' rows to Arrow batches of the contract, whole columns at a time."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from collector.arrays import (
    CODE,
    NUMBERS,
    address_array,
    in_order,
    list_array,
    number_array,
    place_array,
    protocols_array,
    same_text_array,
    server_name_array,
    word_array,
    words,
)
from collector.kernels.columns import (
    STATES,
    AnswerColumns,
    DnsColumns,
    FlowColumns,
    fill_answers,
    fill_dns,
    fill_flows,
)
from collector.kernels.layout import (
    APPLICATIONS,
    END_REASONS,
    INTERFACE_INDEX,
    OPENED_BY,
    OUTCOMES,
    TUNNELS,
    Records,
)
from collector.kernels.spelling import ADDRESS, PLACE
from collector.kernels.state import State
from collector.mnemonics import CLASSES, RCODES, TYPES
from contract.dns import ANSWER, DNS
from contract.flows import FLOWS

TLS_VERSIONS = {0x0300: "SSL 3.0", 0x0301: "TLS 1.0", 0x0302: "TLS 1.1", 0x0303: "TLS 1.2", 0x0304: "TLS 1.3"}

WORDS = {
    "opened_by": in_order(OPENED_BY),
    "end_reason": in_order(END_REASONS),
    "connection_state": in_order(STATES),
    "application": in_order(APPLICATIONS),
    "tls_version": words(TLS_VERSIONS, "0x", hexadecimal=True),
    "tunnel": in_order(TUNNELS),
    "transport": in_order(("udp", "tcp")),
    "qtype": words(TYPES, "TYPE"),
    "qclass": words(CLASSES, "CLASS"),
    "rcode": words(RCODES, "RCODE"),
    "type": words(TYPES, "TYPE"),
    "outcome": in_order(OUTCOMES),
}
ADDRESSES = ("src_ip", "dst_ip", "tunnel_src_ip", "tunnel_dst_ip", "client_ip", "server_ip")
PLACES = ("qname", "qname_raw", "edns_client_subnet", "name", "data")

INTERFACE = "interface"  # its words are those of the capture

# What kernels write for a column that is no number.
WRITTEN = (
    dict.fromkeys(WORDS, CODE)
    | dict.fromkeys(ADDRESSES, ADDRESS)
    | dict.fromkeys(PLACES, PLACE)
    | {INTERFACE: np.dtype(np.int64)}
)

FLOW_SCHEMA, DNS_SCHEMA, ANSWER_SCHEMA = FLOWS.collected, DNS.collected, pa.schema(list(ANSWER))


class Origin(NamedTuple):
    """Where the records come from; ``interfaces`` are names by interface id."""

    cluster: str | None
    node: str | None
    interfaces: list[str | None]


class Rows(NamedTuple):
    """Rows to be taken out: the state whose they are, and how many."""

    state: State
    flows: int
    dns: int
    answers: int
    retired: int


def batches(rows: Rows, origin: Origin) -> Iterator[tuple[str, pa.RecordBatch]]:
    if rows.flows:
        yield FLOWS.name, flow_batch(rows.state, rows.flows, origin)
    if rows.dns:
        yield DNS.name, dns_batch(rows.state, rows.dns, rows.answers, origin)


def flow_batch(state: State, size: int, origin: Origin) -> pa.RecordBatch:
    """The flow rows of the state as ``FLOWS.collected``."""
    rows, hellos = state.flow.flow_rows[:size], state.flow.hellos
    columns = FlowColumns(**_room(FlowColumns._fields, FLOW_SCHEMA, size))
    fill_flows(rows, state.flow.tunnels, hellos, columns)
    arrays = _arrays(columns, FLOW_SCHEMA, state.dns.text) | _origin(origin, columns.interface)
    used = rows.hello[rows.hello >= 0]
    if used.size:
        arrays["tls_sni"] = server_name_array(rows, hellos, used)
        arrays["alpn"] = protocols_array(rows, hellos, used)
    return _batch(FLOW_SCHEMA, arrays, size)


def dns_batch(state: State, size: int, answers: int, origin: Origin) -> pa.RecordBatch:
    """The DNS rows of the state as ``DNS.collected``."""
    rows = state.dns.dns_rows[:size]
    columns = DnsColumns(**_room(DnsColumns._fields, DNS_SCHEMA, size))
    fill_dns(rows, columns)
    arrays = _arrays(columns, DNS_SCHEMA, state.dns.text) | _origin(origin, columns.interface)
    arrays["answers"] = _answers(state, rows, answers, columns.response_time >= 0)
    return _batch(DNS_SCHEMA, arrays, size)


def _answers(state: State, rows: Records, size: int, answered: np.ndarray) -> pa.Array:
    columns = AnswerColumns(**_room(AnswerColumns._fields, ANSWER_SCHEMA, size))
    fill_answers(state.dns.answer_rows[:size], columns)
    arrays = _arrays(columns, ANSWER_SCHEMA, state.dns.text)
    offsets = np.zeros(rows.size + 1, np.int32)
    np.cumsum(rows.answer_count, out=offsets[1:])
    records = pa.StructArray.from_arrays([arrays[field.name] for field in ANSWER], fields=list(ANSWER))
    return list_array(pa.list_(ANSWER), offsets, records, answered)


def _room(names: tuple[str, ...], schema: pa.Schema, size: int) -> dict[str, np.ndarray]:
    """Memory for the kernels to fill; a record's fields are attributes there."""
    kinds = {name: WRITTEN[name] if name in WRITTEN else NUMBERS[schema.field(name).type] for name in names}
    memory = {name: np.empty(size, kind) for name, kind in kinds.items()}
    return {name: values.view(np.recarray) if values.dtype.names else values for name, values in memory.items()}


def _arrays(columns: Any, schema: pa.Schema, arena: np.ndarray) -> dict[str, pa.Array]:
    written = {name: values for name, values in columns._asdict().items() if name != INTERFACE}
    return {name: _array(values, schema.field(name), arena) for name, values in written.items()}


def _array(values: np.ndarray, field: pa.Field, arena: np.ndarray) -> pa.Array:
    if field.name in WORDS:
        return word_array(values, WORDS[field.name])
    if field.name in ADDRESSES:
        return address_array(values)
    if field.name in PLACES:
        return place_array(values, arena)
    return number_array(values, field)


def _batch(schema: pa.Schema, arrays: dict[str, pa.Array], size: int) -> pa.RecordBatch:
    """Columns in the order of the schema; one that no source tells yet is NULL."""
    columns = [arrays[f.name] if f.name in arrays else pa.nulls(size, f.type) for f in schema]
    return pa.record_batch(columns, schema=schema)


def _origin(origin: Origin, interface: np.ndarray) -> dict[str, pa.Array]:
    return {
        "cluster": same_text_array(origin.cluster, interface.size),
        "node": same_text_array(origin.node, interface.size),
        INTERFACE: _interfaces(origin.interfaces, interface),
    }


def _interfaces(names: list[str | None], interface: np.ndarray) -> pa.Array:
    if (interface == interface[0]).all():
        return same_text_array(_interface_name(names, int(interface[0])), interface.size)
    distinct = np.unique(interface)
    named = [_interface_name(names, number) for number in distinct.tolist()]
    codes = np.array([-1 if name is None else code for code, name in enumerate(named)], CODE)
    return word_array(codes[np.searchsorted(distinct, interface)], in_order([name or "" for name in named]))


def _interface_name(names: list[str | None], number: int) -> str | None:
    return f"if{number - INTERFACE_INDEX}" if number >= INTERFACE_INDEX else names[number]
