"""Tables of answers: one heading and one format for each column, whatever page it is on."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import streamlit as st

from analysis.graph import PROTOCOLS

# Characters that hide, or turn the text after them (Unicode categories Cc, Cf, Zl, Zp).
UNSEEN = r"[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]"

ROW_HEIGHT = 35
MOST_SHOWN = 15

HEADINGS = {
    "about": "About",
    "action": "Does",
    "alpn": "ALPN",
    "application": "Application",
    "asker": "Client",
    "attempts": "Attempts",
    "backend_ip": "Pod address",
    "backend_port": "Pod port",
    "client": "Workload",
    "clients": "Asked by",
    "connection_state": "State",
    "cut_packets": "Cut short",
    "datagram_overflows": "Fragment overflows",
    "direction": "Direction",
    "dst": "To",
    "dst_domain": "Domain",
    "dst_ip": "To address",
    "dst_name": "To",
    "dst_node": "To node",
    "dst_pod": "To pod",
    "dst_port": "Port",
    "edges": "Edges",
    "entering": "Entering",
    "errors": "Errors",
    "evictions": "Evicted",
    "failed": "Failed",
    "hello_overflows": "Hello overflows",
    "interface": "Interface",
    "kernel_drops": "Kernel drops",
    "leaving": "Leaving",
    "name": "Rule",
    "node": "Node",
    "nxdomain": "NXDOMAIN",
    "over_tcp": "Over TCP",
    "pending_overflows": "DNS overflows",
    "peers": "Names",
    "port": "Port",
    "ports": "Ports",
    "protocol": "Protocol",
    "qname": "Name",
    "qtype": "Type",
    "outcome": "Outcome",
    "rcode": "Code",
    "reason": "Reason",
    "repeated": "Asked again",
    "server": "Server",
    "service": "Service",
    "source": "Source",
    "src": "From",
    "src_ip": "From address",
    "src_name": "From",
    "src_node": "From node",
    "src_pod": "From pod",
    "src_port": "From port",
    "state": "What becomes of it",
    "stream_overflows": "Stream overflows",
    "tls_ech": "ECH",
    "tls_sni": "TLS name",
    "tls_version": "TLS",
    "told": "What",
    "transactions": "Asked",
    "unanswered": "Unanswered",
    "value": "Value",
    "verdict": "Verdict",
    "why": "Why",
    "connections": "Connections",
    "discarded": "Discarded",
    "packets": "Packets",
}
BYTES = {"bytes": "Bytes", "src_bytes": "Sent", "dst_bytes": "Received"}
TIMES = {
    "start_time": "Start (UTC)",
    "from_time": "From (UTC)",
    "until_time": "Until (UTC)",
    "first_seen": "First (UTC)",
    "last_seen": "Last (UTC)",
    "last_time": "Last (UTC)",
}
# Shown in milliseconds.
MICROSECONDS = {
    "latency_us": "Latency",
    "server_handshake_us": "Handshake",
    "p50_us": "Median",
    "p95_us": "p95",
    "p99_us": "p99",
}
SECONDS = {"duration_s": "Duration"}
NUMBERS = BYTES | MICROSECONDS | SECONDS
# A name is shown with its namespace before it, where it has one.
NAMESPACES = {
    "src": "src_namespace",
    "dst": "dst_namespace",
    "src_name": "src_namespace",
    "dst_name": "dst_namespace",
    "client": "client_namespace",
}
# Of text that is often longer than a narrow window has room for.
WIDTHS = {"qname": 240, "dst": 150, "name": 200, "about": 200, "peers": 220, "why": 260}


def show(table: pa.Table, columns: Sequence[str], key: str) -> None:
    _frame(table, columns, key)


def show_texts(table: pa.Table, key: str) -> None:
    """Of text alone, with the names of the columns as headings."""
    shown = pa.table({name: _readable(name, table[name]) for name in table.column_names})
    st.dataframe(shown, hide_index=True, width="stretch", row_height=ROW_HEIGHT, placeholder="–", key=key)


def choose(table: pa.Table, columns: Sequence[str], key: str) -> int | None:
    """The same with rows that can be chosen; the number of the one that is."""
    _frame(table, columns, key, on_select="rerun", selection_mode="single-row")
    return chosen(key)


def named(table: pa.Table, name: str) -> pa.Table:
    """With the column as a table shows it, for a chart."""
    return table.set_column(table.schema.get_field_index(name), name, _readable(name, _placed(table, name)))


def chosen(key: str) -> int | None:
    """The row that was chosen in this table, also before it is shown."""
    state = st.session_state.get(key)
    rows = state["selection"]["rows"] if state else []
    return rows[0] if rows else None


def _frame(table: pa.Table, columns: Sequence[str], key: str, **more: Any) -> None:
    shown = _shown(table, columns)
    height = ROW_HEIGHT * (min(max(shown.num_rows, 1), MOST_SHOWN) + 1) + 3
    st.dataframe(
        shown,
        column_config={name: _config(name, shown.schema.field(name).type) for name in columns},
        hide_index=True,
        height=height,
        width="stretch",
        row_height=ROW_HEIGHT,
        placeholder="–",
        key=key,
        **more,
    )


def _shown(table: pa.Table, columns: Sequence[str]) -> pa.Table:
    return pa.table({name: _readable(name, _placed(table, name)) for name in columns})


def _placed(table: pa.Table, name: str) -> pa.ChunkedArray:
    if name not in NAMESPACES:
        return table[name]
    return pc.coalesce(pc.binary_join_element_wise(table[NAMESPACES[name]], table[name], "/"), table[name])


def _readable(name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    if name in MICROSECONDS:
        return pc.divide(column.cast(pa.float64()), 1000)
    if pa.types.is_string(column.type):
        return pc.replace_substring_regex(column, UNSEEN, "\N{REPLACEMENT CHARACTER}")
    if name == "protocol":
        return _protocols(column)
    return column


def _protocols(column: pa.ChunkedArray) -> pa.ChunkedArray:
    known = pa.array(list(PROTOCOLS), pa.int16())
    names = pa.array(list(PROTOCOLS.values()))
    found = pc.take(names, pc.index_in(column.cast(pa.int16()), value_set=known))
    return pc.coalesce(found, column.cast(pa.string()))


def _config(name: str, kind: pa.DataType) -> Any:
    if name in TIMES:
        told = "MM-DD HH:mm:ss.SSS" if name == "start_time" else "MM-DD HH:mm:ss"
        return st.column_config.DatetimeColumn(TIMES[name], format=told, timezone="UTC")
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return st.column_config.NumberColumn(NUMBERS.get(name) or HEADINGS[name], format=_format(name))
    return st.column_config.Column(HEADINGS[name], width=WIDTHS.get(name))


def _format(name: str) -> str:
    if name in BYTES:
        return "bytes"
    if name in MICROSECONDS:
        return "%.3g ms"
    if name in SECONDS:
        return "%.3f s"
    return "%d" if name.endswith("port") else "localized"
