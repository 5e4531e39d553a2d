"""From the kernels' rows to Arrow batches of the contract. Whole columns at a time; text buffers are copied once."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from collector.kernels.layout import (
    A_PORT_BIT,
    ABORTED,
    ABORTED_AFTER_FIN,
    APPLICATIONS,
    B_PORT_BIT,
    END_REASONS,
    ESTABLISHED,
    FINISHED,
    HELLO,
    INTERFACE_INDEX,
    MAX_ALPN,
    MAX_SNI,
    NOTHING,
    OPENED_BY,
    OUTCOMES,
    PARTIAL,
    PROTOCOL_BIT,
    SIX_BIT,
    SYN_ACK_SENT,
    SYN_SENT,
    TCP,
    TUNNEL_BIT,
    TUNNELS,
    UDP,
    VNI_BIT,
    Records,
)
from collector.kernels.state import State
from collector.kernels.tcp import SEEN_ACK, SEEN_DATA, SEEN_SYN
from collector.kernels.text import ADDRESS_TEXT, BACKSLASH, gather, write_addresses
from collector.mnemonics import CLASSES, RCODES, TYPES, words
from contract.columns import TEXT, TEXTS, TIME
from contract.dns import ANSWER, DNS
from contract.flows import FLOWS

TLS_VERSIONS = {0x0300: "SSL 3.0", 0x0301: "TLS 1.0", 0x0302: "TLS 1.1", 0x0303: "TLS 1.2", 0x0304: "TLS 1.3"}
PORTED = (6, 17, 33, 132, 136)
TRANSPORTS = {UDP: "udp", TCP: "tcp"}
PORT = np.uint64(0xFFFF)


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
    rows = state.flow.flow_rows[:size]
    src_is_b = rows.opener == 1
    columns = {
        "start_time": _time(rows.first_time),
        "end_time": _time(rows.last_time),
        **_origin(origin, (rows.key5 >> np.uint64(32)).astype(np.int64)),
        **_ends(rows, src_is_b),
        "protocol": _protocol(rows).astype(np.int16),
        "icmp_type": _number(rows.icmp_type, np.int16, rows.icmp_type < 0),
        "icmp_code": _number(rows.icmp_code, np.int16, rows.icmp_code < 0),
        "opened_by": _word(OPENED_BY, rows.opened_by),
        "started": rows.started == 1,
        "ended": np.isin(rows.reason, (END_REASONS.index("closed"), END_REASONS.index("reset"))),
        "end_reason": _word(END_REASONS, rows.reason),
        **_sides(rows, src_is_b),
        "connection_state": _connection_state(rows, src_is_b),
        "server_handshake_us": _number(rows.server_handshake, np.int64, rows.server_handshake < 0),
        "client_handshake_us": _number(rows.client_handshake, np.int64, rows.client_handshake < 0),
        "application": _word(APPLICATIONS, rows.application, rows.application == 0),
        **_hello(rows, state),
        **_tunnel(rows, state.flow.tunnels),
        "vlan": _number(_vlan(rows), np.int32, _vlan(rows) < 0),
    }
    return _batch(FLOWS.collected, columns, size)


def dns_batch(state: State, size: int, answers: int, origin: Origin) -> pa.RecordBatch:
    """The DNS rows of the state as ``DNS.collected``."""
    rows = state.dns.dns_rows[:size]
    asked, answered = rows.query_time >= 0, rows.response_time >= 0
    latency = np.where(asked & answered, np.maximum(rows.response_time - rows.query_time, 0), -1)
    no_edns = rows.edns_size < 0
    columns = {
        "start_time": _time(np.where(asked, rows.query_time, rows.response_time)),
        "query_time": _time(rows.query_time, ~asked),
        "response_time": _time(rows.response_time, ~answered),
        "latency_us": _number(latency, np.int64, latency < 0),
        **_origin(origin, rows.interface),
        "client_ip": _address(rows.client_high, rows.client_low, rows.six == 1),
        "client_port": rows.client_port,
        "server_ip": _address(rows.server_high, rows.server_low, rows.six == 1),
        "server_port": rows.server_port,
        "transport": _word(tuple(TRANSPORTS.values()), rows.protocol == TCP),
        "id": rows.id,
        "opcode": (rows.query_flags >> 11 & 15).astype(np.int16),
        "qname": _slice(state.dns.text, rows.name_at, rows.name_size, rows.has_question == 0),
        "qname_raw": _slice(state.dns.text, rows.raw_at, rows.raw_size, rows.raw_size == 0),
        "qtype": _mnemonic(TYPES, "TYPE", rows.qtype, rows.has_question == 0),
        "qclass": _mnemonic(CLASSES, "CLASS", rows.qclass, rows.has_question == 0),
        "rcode": _mnemonic(RCODES, "RCODE", rows.rcode, ~answered),
        "rd": rows.query_flags & 0x0100 != 0,
        "aa": pa.array(rows.response_flags & 0x0400 != 0, mask=~answered),
        "tc": pa.array(rows.response_flags & 0x0200 != 0, mask=~answered),
        "ra": pa.array(rows.response_flags & 0x0080 != 0, mask=~answered),
        "ad": pa.array(rows.response_flags & 0x0020 != 0, mask=~answered),
        "cd": rows.query_flags & 0x0010 != 0,
        "edns_udp_size": _number(rows.edns_size, np.int32, no_edns),
        "edns_do": pa.array(rows.edns_do == 1, mask=no_edns),
        "edns_client_subnet": _slice(state.dns.text, rows.subnet_at, rows.subnet_size, rows.subnet_size == 0),
        "edns_error": _number(rows.edns_error, np.int32, rows.edns_error < 0),
        "answers": _answers(state, rows, answers, answered),
        "query_bytes": _number(rows.query_bytes, np.int64, rows.query_bytes < 0),
        "response_bytes": _number(rows.response_bytes, np.int64, rows.response_bytes < 0),
        "attempts": rows.attempts,
        "outcome": _word(OUTCOMES, rows.outcome),
    }
    return _batch(DNS.collected, columns, size)


def _batch(schema: pa.Schema, columns: dict[str, object], size: int) -> pa.RecordBatch:
    """Columns in the order and the types of the schema; one that no source tells yet is NULL."""
    arrays = [_column(columns.get(field.name), field.type, size) for field in schema]
    return pa.record_batch(arrays, schema=schema)


def _column(values: object, kind: pa.DataType, size: int) -> pa.Array:
    if values is None:
        return pa.nulls(size, kind)
    if isinstance(values, np.ndarray):
        return pa.array(np.ascontiguousarray(values), kind)
    return values if values.type == kind else values.cast(kind)  # type: ignore[attr-defined]


def _time(microseconds: np.ndarray, missing: np.ndarray | None = None) -> pa.Array:
    return pa.array(np.ascontiguousarray(microseconds), pa.int64(), mask=missing).cast(TIME)


def _number(values: np.ndarray, kind: type, missing: np.ndarray) -> pa.Array:
    return pa.array(values.astype(kind), mask=missing)


def _word(known: tuple[str, ...], codes: np.ndarray, missing: np.ndarray | None = None) -> pa.Array:
    index = pa.array(codes.astype(np.int32), mask=missing)
    return pa.DictionaryArray.from_arrays(index, pa.array(known, TEXT)).dictionary_decode()


def _mnemonic(known: dict[int, str], prefix: str, numbers: np.ndarray, missing: np.ndarray) -> pa.Array:
    index, distinct = words(known, prefix, numbers)
    return _word(tuple(distinct), index, missing)


def _address(high: np.ndarray, low: np.ndarray, six: np.ndarray, missing: np.ndarray | None = None) -> pa.Array:
    """RFC 5952 text."""
    text = np.empty(high.size * ADDRESS_TEXT, np.uint8)
    offsets = np.empty(high.size + 1, np.int32)
    write_addresses(np.ascontiguousarray(high), np.ascontiguousarray(low), six, text, offsets)
    array = pa.StringArray.from_buffers(high.size, pa.py_buffer(offsets), pa.py_buffer(text[: offsets[-1]].copy()))
    return array if missing is None else pc.if_else(pa.array(missing), pa.scalar(None, TEXT), array)


def _slice(text: np.ndarray, at: np.ndarray, size: np.ndarray, missing: np.ndarray) -> pa.Array:
    """Texts that lie anywhere in an arena."""
    offsets = np.empty(at.size + 1, np.int32)
    data = np.empty(int(size.sum()), np.uint8)
    gather(text, np.ascontiguousarray(at), np.ascontiguousarray(size), data, offsets)
    array = pa.StringArray.from_buffers(at.size, pa.py_buffer(offsets), pa.py_buffer(data))
    return pc.if_else(pa.array(missing), pa.scalar(None, TEXT), array) if missing.any() else array


def _origin(origin: Origin, interface: np.ndarray) -> dict[str, object]:
    size = interface.size
    distinct, index = np.unique(interface, return_inverse=True)
    names = [_interface_name(origin.interfaces, number) for number in distinct.tolist()]
    name = pa.DictionaryArray.from_arrays(pa.array(index.astype(np.int32)), pa.array(names, TEXT)).dictionary_decode()
    return {
        "cluster": pa.repeat(pa.scalar(origin.cluster, TEXT), size),
        "node": pa.repeat(pa.scalar(origin.node, TEXT), size),
        "interface": name,
    }


def _interface_name(names: list[str | None], number: int) -> str | None:
    return f"if{number - INTERFACE_INDEX}" if number >= INTERFACE_INDEX else names[number]


def _protocol(rows: Records) -> np.ndarray:
    return (rows.key4 >> PROTOCOL_BIT & np.uint64(0xFF)).astype(np.int64)  # type: ignore[no-any-return]


def _vlan(rows: Records) -> np.ndarray:
    return (rows.key4 & PORT).astype(np.int64) - 1  # type: ignore[no-any-return]


def _ends(rows: Records, src_is_b: np.ndarray) -> dict[str, object]:
    no_port = ~np.isin(_protocol(rows), PORTED)
    a_port = (rows.key4 >> A_PORT_BIT & PORT).astype(np.int32)
    b_port = (rows.key4 >> B_PORT_BIT & PORT).astype(np.int32)
    a, b = (rows.a_high, rows.a_low, a_port), (rows.b_high, rows.b_low, b_port)
    src = [np.where(src_is_b, second, first) for first, second in zip(a, b, strict=True)]
    dst = [np.where(src_is_b, first, second) for first, second in zip(a, b, strict=True)]
    six = rows.key4 >> SIX_BIT == 1
    return {
        "src_ip": _address(src[0], src[1], six),
        "src_port": pa.array(src[2], mask=no_port),
        "dst_ip": _address(dst[0], dst[1], six),
        "dst_port": pa.array(dst[2], mask=no_port),
    }


def _sides(rows: Records, src_is_b: np.ndarray) -> dict[str, object]:
    columns: dict[str, object] = {}
    not_tcp = _protocol(rows) != TCP
    for name, kind in (("packets", 0), ("bytes", 0), ("tcp_flags", 1), ("retransmits", 1), ("zero_windows", 1)):
        a, b = rows[name].T
        word = name
        dtype = np.int16 if name == "tcp_flags" else np.int64
        missing = not_tcp if kind else None
        columns["src_" + word] = pa.array(np.where(src_is_b, b, a).astype(dtype), mask=missing)
        columns["dst_" + word] = pa.array(np.where(src_is_b, a, b).astype(dtype), mask=missing)
    return columns


STATES = ("OTH", "S0", "S1", "SF", "REJ", "S2", "S3", "RSTO", "RSTR", "RSTOS0", "RSTRH", "SH", "SHR")


def _connection_state(rows: Records, src_is_b: np.ndarray) -> pa.Array:
    """Zeek's conn_state; docs/connection-states.md has the rules in words."""
    src, dst = np.where(src_is_b, *rows.state.T[::-1]), np.where(src_is_b, *rows.state.T)
    src_seen, any_seen = np.where(src_is_b, *rows.seen.T[::-1]), rows.seen[:, 0] | rows.seen[:, 1]
    src_silent, dst_silent = np.isin(src, (NOTHING, PARTIAL)), np.isin(dst, (NOTHING, PARTIAL))
    src_reset, dst_reset = (np.isin(end, (ABORTED, ABORTED_AFTER_FIN)) for end in (src, dst))
    no_data = any_seen & SEEN_DATA == 0
    refused = np.isin(src, (SYN_SENT, SYN_ACK_SENT)) | (src_reset & no_data)
    udp, from_src, from_dst = _protocol(rows) == UDP, *_have_sent(rows, src_is_b)
    rules = [
        (udp & from_src & from_dst, "SF"),
        (udp & from_src, "S0"),
        (udp, "SHR"),
        (dst_reset & refused, "REJ"),
        (dst_reset & src_silent, "RSTRH"),
        (dst_reset, "RSTR"),
        (src_reset & dst_silent & (src_seen & (SEEN_SYN | SEEN_ACK) == SEEN_SYN), "RSTOS0"),
        (src_reset & dst_silent, "OTH"),
        (src_reset, "RSTO"),
        ((src == FINISHED) & (dst == FINISHED), "SF"),
        ((src == FINISHED) & dst_silent, "SH"),
        (src == FINISHED, "S2"),
        ((dst == FINISHED) & src_silent, "SHR"),
        (dst == FINISHED, "S3"),
        ((src == SYN_SENT) & (dst == NOTHING), "S0"),
        ((src == ESTABLISHED) & (dst == ESTABLISHED), "S1"),
    ]
    codes = np.select([rule for rule, _ in rules], [STATES.index(word) for _, word in rules], 0)
    return _word(STATES, codes, ~(udp | (_protocol(rows) == TCP)))


def _have_sent(rows: Records, src_is_b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whether src and dst have sent packets in this record."""
    a, b = (rows.packets > 0).T
    return np.where(src_is_b, b, a), np.where(src_is_b, a, b)


def _tunnel(rows: Records, tunnels: Records) -> dict[str, object]:
    kind = (rows.key4 >> TUNNEL_BIT & np.uint64(0xF)).astype(np.int64)
    no_id, none = rows.key4 >> VNI_BIT & np.uint64(1) == 0, rows.tunnel < 0
    outer = tunnels[np.where(none, 0, rows.tunnel)]
    four = np.zeros(rows.size, bool)
    return {
        "tunnel": _word(TUNNELS, kind, kind == 0),
        "tunnel_id": _number(rows.key5 & np.uint64(0xFFFFFFFF), np.int64, no_id),
        "tunnel_src_ip": _address(outer.src_high, outer.src_low, four, none),
        "tunnel_dst_ip": _address(outer.dst_high, outer.dst_low, four, none),
    }


def _hello(rows: Records, state: State) -> dict[str, object]:
    """TLS words of the flows that have them. Each distinct ClientHello is read once; what is not text in it is escaped."""
    which = np.flatnonzero(rows.hello >= 0)
    chosen = np.ascontiguousarray(state.flow.hellos[rows.hello[which]]).view(HELLO)
    chosen["sni"][np.arange(MAX_SNI) >= chosen["sni_size"][:, None]] = 0
    chosen["alpn"][np.arange(MAX_ALPN) >= chosen["alpn_size"][:, None]] = 0
    raw, inverse = np.unique(chosen.view(f"V{HELLO.itemsize}"), return_inverse=True)
    words = [_hello_words(hello) for hello in raw.view(HELLO)]
    place = np.full(rows.size, -1, np.int64)
    place[which] = inverse
    index = pa.array(place, mask=place < 0)
    kinds = {"tls_sni": TEXT, "tls_version": TEXT, "alpn": TEXTS, "tls_ech": pa.bool_()}
    return {name: pa.array([word[name] for word in words], kind).take(index) for name, kind in kinds.items()}


def _hello_words(hello: np.void) -> dict[str, object]:
    sni, alpn = hello["sni"][: max(hello["sni_size"], 0)], hello["alpn"][: max(hello["alpn_size"], 0)]
    version = int(hello["version"])
    return {
        "tls_sni": _text(sni) or None,
        "tls_version": TLS_VERSIONS.get(version, f"0x{version:04x}") if version else None,
        "tls_ech": True if hello["ech"] else False if version else None,
        "alpn": _protocols(alpn) or None,
    }


def _text(raw: np.ndarray) -> str:
    return "".join(
        chr(octet) if 33 <= octet <= 126 and octet != BACKSLASH else f"\\{octet:03d}" for octet in raw.tolist()
    )


def _protocols(raw: np.ndarray) -> list[str]:
    found, at = [], 0
    while at < raw.size:
        size = int(raw[at])
        found.append(_text(raw[at + 1 : at + 1 + size]))
        at += 1 + size
    return found


def _answers(state: State, rows: Records, count: int, answered: np.ndarray) -> pa.Array:
    answers = state.dns.answer_rows[:count]
    none = np.zeros(count, bool)
    records = pa.StructArray.from_arrays(
        [
            _slice(state.dns.text, answers.name_at, answers.name_size, none),
            _mnemonic(TYPES, "TYPE", answers.type, none),
            pa.array(np.ascontiguousarray(answers.ttl)),
            _slice(state.dns.text, answers.data_at, answers.data_size, none),
        ],
        fields=list(ANSWER),
    )
    offsets = np.zeros(rows.size + 1, np.int32)
    np.cumsum(rows.answer_count, out=offsets[1:])
    return pa.ListArray.from_arrays(pa.array(offsets), records, mask=pa.array(~answered))
