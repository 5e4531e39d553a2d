"""Columns of the contract out of the rows of a table: one pass over the rows, one array a column.

In a column that can be NULL a number below zero is. Text is what ``spelling`` makes text of: a code, an address or a
place in the arena.
"""

from typing import NamedTuple

import numpy as np

from collector.kernels.dnswire import TC
from collector.kernels.hashing import ONE
from collector.kernels.jit import entry, inline, kernel
from collector.kernels.layout import (
    A_PORT_BIT,
    ABORTED,
    B_PORT_BIT,
    CLOSED,
    DCCP,
    ESTABLISHED,
    FINISHED,
    NOTHING,
    PARTIAL,
    PROTOCOL_BIT,
    RESET,
    SCTP,
    SIX_BIT,
    SYN_ACK_SENT,
    SYN_SENT,
    TCP,
    TUNNEL_BIT,
    UDP,
    UDPLITE,
    VNI_BIT,
)
from collector.kernels.spelling import IPV6, MAPPED_IS_IPV4, NO_ADDRESS
from collector.kernels.tcp import SEEN_ACK, SEEN_DATA, SEEN_SYN

# Zeek's conn_state; docs/connection-states.md has the rules in words.
STATES = ("OTH", "S0", "S1", "SF", "REJ", "S2", "S3", "RSTO", "RSTR", "RSTOS0", "RSTRH", "SH", "SHR")
OTH, S0, S1, SF, REJ, S2, S3, RSTO, RSTR, RSTOS0, RSTRH, SH, SHR = np.arange(13)
NO_STATE = np.int64(-1)

PORT, OCTET, TUNNEL_KIND = np.uint64(0xFFFF), np.uint64(0xFF), np.uint64(0xF)
INTERFACE_BIT, TUNNEL_ID = np.uint64(32), np.uint64(0xFFFFFFFF)
QUERY_OPCODE, AA, RD, RA, AD, CD = 11, 0x0400, 0x0100, 0x0080, 0x0020, 0x0010


class FlowColumns(NamedTuple):
    start_time: np.ndarray
    end_time: np.ndarray
    interface: np.ndarray
    src_ip: np.ndarray
    src_port: np.ndarray
    dst_ip: np.ndarray
    dst_port: np.ndarray
    protocol: np.ndarray
    icmp_type: np.ndarray
    icmp_code: np.ndarray
    opened_by: np.ndarray
    started: np.ndarray
    ended: np.ndarray
    end_reason: np.ndarray
    src_packets: np.ndarray
    src_bytes: np.ndarray
    src_tcp_flags: np.ndarray
    src_retransmits: np.ndarray
    src_zero_windows: np.ndarray
    dst_packets: np.ndarray
    dst_bytes: np.ndarray
    dst_tcp_flags: np.ndarray
    dst_retransmits: np.ndarray
    dst_zero_windows: np.ndarray
    connection_state: np.ndarray
    server_handshake_us: np.ndarray
    client_handshake_us: np.ndarray
    application: np.ndarray
    tls_version: np.ndarray
    tls_ech: np.ndarray
    tunnel: np.ndarray
    tunnel_id: np.ndarray
    tunnel_src_ip: np.ndarray
    tunnel_dst_ip: np.ndarray
    vlan: np.ndarray


class DnsColumns(NamedTuple):
    start_time: np.ndarray
    query_time: np.ndarray
    response_time: np.ndarray
    latency_us: np.ndarray
    interface: np.ndarray
    client_ip: np.ndarray
    client_port: np.ndarray
    server_ip: np.ndarray
    server_port: np.ndarray
    transport: np.ndarray
    id: np.ndarray
    opcode: np.ndarray
    qname: np.ndarray
    qname_raw: np.ndarray
    qtype: np.ndarray
    qclass: np.ndarray
    rcode: np.ndarray
    rd: np.ndarray
    aa: np.ndarray
    tc: np.ndarray
    ra: np.ndarray
    ad: np.ndarray
    cd: np.ndarray
    edns_udp_size: np.ndarray
    edns_do: np.ndarray
    edns_client_subnet: np.ndarray
    edns_error: np.ndarray
    negative_ttl: np.ndarray
    query_bytes: np.ndarray
    response_bytes: np.ndarray
    attempts: np.ndarray
    outcome: np.ndarray


class AnswerColumns(NamedTuple):
    name: np.ndarray
    type: np.ndarray
    ttl: np.ndarray
    data: np.ndarray


@entry
def fill_flows(rows, tunnels, hellos, columns):
    for index in range(rows.size):
        at = np.uint64(index)
        row = rows[at]
        protocol = np.int64(row.key4 >> PROTOCOL_BIT & OCTET)
        columns.start_time[at] = row.first_time
        columns.end_time[at] = row.last_time
        columns.interface[at] = np.int64(row.key5 >> INTERFACE_BIT)
        columns.protocol[at] = protocol
        columns.icmp_type[at] = row.icmp_type
        columns.icmp_code[at] = known(row.icmp_code, row.icmp_type >= 0)
        columns.opened_by[at] = row.opened_by
        columns.started[at] = row.started
        columns.ended[at] = row.reason == CLOSED or row.reason == RESET
        columns.end_reason[at] = row.reason
        columns.connection_state[at] = connection_state(row, protocol)
        columns.server_handshake_us[at] = row.server_handshake
        columns.client_handshake_us[at] = row.client_handshake
        columns.application[at] = below_zero_if_none(row.application)
        columns.vlan[at] = np.int64(row.key4 & PORT) - 1
        fill_ends(row, columns, at, protocol)
        fill_tunnel(row, tunnels, columns, at)
        fill_hello(np.int64(row.hello), hellos, columns, at)


@inline
def fill_ends(row, columns, at, protocol):
    """What both ends have, the one that opened the connection as src."""
    tcp = protocol == TCP
    src = np.uint64(row.opener)
    dst = ONE - src
    ported = tcp or protocol == UDP or protocol == DCCP or protocol == SCTP or protocol == UDPLITE
    kind = MAPPED_IS_IPV4 if row.key4 >> SIX_BIT == np.uint64(0) else IPV6
    fill_address(columns.dst_ip if src else columns.src_ip, at, row.a_high, row.a_low, kind)
    fill_address(columns.src_ip if src else columns.dst_ip, at, row.b_high, row.b_low, kind)
    a_port, b_port = np.int64(row.key4 >> A_PORT_BIT & PORT), np.int64(row.key4 >> B_PORT_BIT & PORT)
    columns.src_port[at] = known(b_port if src else a_port, ported)
    columns.dst_port[at] = known(a_port if src else b_port, ported)
    columns.src_packets[at], columns.dst_packets[at] = row.packets[src], row.packets[dst]
    columns.src_bytes[at], columns.dst_bytes[at] = row.bytes[src], row.bytes[dst]
    columns.src_tcp_flags[at] = known(row.tcp_flags[src], tcp)
    columns.dst_tcp_flags[at] = known(row.tcp_flags[dst], tcp)
    columns.src_retransmits[at] = known(row.retransmits[src], tcp)
    columns.dst_retransmits[at] = known(row.retransmits[dst], tcp)
    columns.src_zero_windows[at] = known(row.zero_windows[src], tcp)
    columns.dst_zero_windows[at] = known(row.zero_windows[dst], tcp)


@inline
def known(number, told):
    return np.int64(number) if told else np.int64(-1)


@inline
def fill_address(column, at, high, low, kind):
    address = column[at]
    address.high, address.low, address.kind = high, low, kind


@inline
def below_zero_if_none(code):
    return np.int64(code) if code > 0 else np.int64(-1)


@inline
def fill_tunnel(row, tunnels, columns, at):
    kind = np.int64(row.key4 >> TUNNEL_BIT & TUNNEL_KIND)
    has_id = row.key4 >> VNI_BIT & ONE == ONE
    columns.tunnel[at] = below_zero_if_none(kind)
    columns.tunnel_id[at] = known(row.key5 & TUNNEL_ID, has_id)
    kept = row.tunnel >= 0
    outer = tunnels[np.uint64(row.tunnel if kept else 0)]
    fill_address(columns.tunnel_src_ip, at, outer.src_high, outer.src_low, MAPPED_IS_IPV4 if kept else NO_ADDRESS)
    fill_address(columns.tunnel_dst_ip, at, outer.dst_high, outer.dst_low, MAPPED_IS_IPV4 if kept else NO_ADDRESS)


@inline
def fill_hello(which, hellos, columns, at):
    """A hello that was cut before it says its version does not say either that nothing is encrypted inside it."""
    version, encrypted = np.int64(-1), np.int64(-1)
    if which >= 0:
        hello = hellos[np.uint64(which)]
        version = below_zero_if_none(hello.version)
        encrypted = np.int64(1) if hello.ech else np.int64(0) if version > 0 else np.int64(-1)
    columns.tls_version[at], columns.tls_ech[at] = version, encrypted


@kernel
def connection_state(row, protocol):
    """The code of one of ``STATES``, or ``NO_STATE``."""
    src = np.uint64(row.opener)
    dst = ONE - src
    if protocol == UDP:
        return (SF if row.packets[dst] > 0 else S0) if row.packets[src] > 0 else SHR
    if protocol != TCP:
        return NO_STATE
    if row.state[dst] >= ABORTED:
        return state_after_dst_reset(row.state[src], (row.seen[0] | row.seen[1]) & SEEN_DATA == 0)
    if row.state[src] >= ABORTED:
        return state_after_src_reset(row.state[dst], row.seen[src])
    return state_by_ends(row.state[src], row.state[dst])


@inline
def is_silent(end):
    return end == NOTHING or end == PARTIAL


@inline
def state_after_dst_reset(src, no_data):
    if src == SYN_SENT or src == SYN_ACK_SENT or (src >= ABORTED and no_data):
        return REJ
    return RSTRH if is_silent(src) else RSTR


@inline
def state_after_src_reset(dst, src_seen):
    if not is_silent(dst):
        return RSTO
    return RSTOS0 if src_seen & (SEEN_SYN | SEEN_ACK) == SEEN_SYN else OTH


@inline
def state_by_ends(src, dst):
    if src == FINISHED:
        return SF if dst == FINISHED else SH if is_silent(dst) else S2
    if dst == FINISHED:
        return SHR if is_silent(src) else S3
    if src == SYN_SENT and dst == NOTHING:
        return S0
    return S1 if src == ESTABLISHED and dst == ESTABLISHED else OTH


@entry
def fill_dns(rows, columns):
    for index in range(rows.size):
        at = np.uint64(index)
        row = rows[at]
        asked, answered = row.query_time >= 0, row.response_time >= 0
        columns.start_time[at] = row.query_time if asked else row.response_time
        columns.query_time[at] = row.query_time
        columns.response_time[at] = row.response_time
        latency = max(np.int64(row.response_time - row.query_time), 0)
        columns.latency_us[at] = known(latency, asked and answered)
        columns.interface[at] = row.interface
        kind = IPV6 if row.six == 1 else MAPPED_IS_IPV4
        fill_address(columns.client_ip, at, row.client_high, row.client_low, kind)
        fill_address(columns.server_ip, at, row.server_high, row.server_low, kind)
        columns.client_port[at] = row.client_port
        columns.server_port[at] = row.server_port
        columns.transport[at] = row.protocol == TCP
        columns.id[at] = row.id
        columns.edns_udp_size[at] = row.edns_size
        columns.edns_do[at] = known(row.edns_do == 1, row.edns_size >= 0)
        columns.edns_error[at] = row.edns_error
        columns.negative_ttl[at] = row.negative_ttl
        columns.query_bytes[at] = row.query_bytes
        columns.response_bytes[at] = row.response_bytes
        columns.attempts[at] = row.attempts
        columns.outcome[at] = row.outcome
        columns.rcode[at] = known(row.rcode, answered)
        fill_question(row, columns, at)
        fill_flags(row, columns, at, answered)


@inline
def fill_question(row, columns, at):
    asked = row.has_question == 1
    columns.qtype[at] = known(row.qtype, asked)
    columns.qclass[at] = known(row.qclass, asked)
    fill_place(columns.qname, at, row.name_at, known(row.name_size, asked))
    fill_place(columns.qname_raw, at, row.raw_at, below_zero_if_none(row.raw_size))
    fill_place(columns.edns_client_subnet, at, row.subnet_at, below_zero_if_none(row.subnet_size))


@inline
def fill_place(column, at, start, octets):
    place = column[at]
    place.at, place.octets = start, octets


@inline
def fill_flags(row, columns, at, answered):
    """RFC 1035 §4.1.1; what the response says is NULL where there is none."""
    query, response = np.int64(row.query_flags), np.int64(row.response_flags)
    columns.opcode[at] = query >> QUERY_OPCODE & 15
    columns.rd[at] = query & RD != 0
    columns.cd[at] = query & CD != 0
    columns.aa[at] = known(response & AA != 0, answered)
    columns.tc[at] = known(response & TC != 0, answered)
    columns.ra[at] = known(response & RA != 0, answered)
    columns.ad[at] = known(response & AD != 0, answered)


@entry
def fill_answers(rows, columns):
    for index in range(rows.size):
        at = np.uint64(index)
        row = rows[at]
        fill_place(columns.name, at, row.name_at, row.name_size)
        columns.type[at] = row.type
        columns.ttl[at] = row.ttl
        fill_place(columns.data, at, row.data_at, row.data_size)
