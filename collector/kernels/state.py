"""The tables of the packet path as arrays: made once, of fixed size."""

import hashlib
from typing import NamedTuple

import numpy as np

from collector.kernels.layout import (
    ANSWER,
    BATCH,
    BUFFER,
    BUFFER_BYTES,
    CONTROL,
    FLOW,
    FRAGMENTED,
    HELLO,
    INITIAL,
    LIST,
    MAX_DATAGRAMS,
    MAX_FRAGMENTED,
    MAX_HELLOS,
    MAX_INITIALS,
    MAX_LISTENERS,
    MAX_STREAMS,
    MAX_SUBNET,
    MAX_TUNNELS,
    MESSAGE,
    NAME_ROOM,
    NAME_ROW,
    PACKET,
    PENDING,
    TRANSACTION,
    TUNNEL,
    Records,
)
from contract.errors import Discard

SMALLEST_INDEX = 1 << 12
LINE = 64  # octets of a cache line
FLOW_ROWS = 1 << 13  # rows of one flow batch
DNS_ROWS = 1 << 13
ANSWER_ROWS = 1 << 15
TEXT_BYTES = 12 << 20


class Buffers(NamedTuple):
    """Room for ``records.size`` things that come in pieces, in a list by age."""

    control: Records
    records: Records
    data: np.ndarray  # BUFFER_BYTES each
    free: np.ndarray


class FlowTables(NamedTuple):
    control: Records
    flow_index: np.ndarray
    flows: Records
    free_flows: np.ndarray
    listeners: np.ndarray
    streams: Buffers
    scratch: np.ndarray  # a ClientHello out of its records
    hellos: Records
    free_hellos: np.ndarray
    initials: Records
    free_initials: np.ndarray
    tunnels: Records
    flow_rows: Records
    retired: np.ndarray  # hellos that only ``flow_rows`` has now


class DnsTables(NamedTuple):
    control: Records
    ports: np.ndarray  # by port number: 1 where DNS is spoken
    pending_index: np.ndarray
    pending: Records
    free_pending: np.ndarray
    names: np.ndarray  # NAME_ROW octets a pending query, and as many more: the name in wire form
    subnets: np.ndarray  # one row a pending query: the EDNS client subnet option as sent
    message: Records  # the message at hand, with its question, its client subnet, and room for another name of it
    name: np.ndarray
    subnet: np.ndarray
    label: np.ndarray
    dns_rows: Records
    answer_rows: Records
    text: np.ndarray


class State(NamedTuple):
    """All the memory the packet path has; ``control`` is one and the same everywhere."""

    control: Records
    batch: Records
    fragmented: Records
    datagrams: Buffers
    discarded: np.ndarray  # (interface, reason)
    flow: FlowTables
    dns: DnsTables


def new_state(settings: "Bounds", interfaces: int, seed: int, dns_ports: tuple[int, ...]) -> State:
    """Empty tables. Pages of a large one are taken from the system only when they are first written."""
    control = records(1, CONTROL)
    state = State(
        control=control,
        batch=records(BATCH, PACKET),
        fragmented=records(MAX_FRAGMENTED, FRAGMENTED),
        datagrams=_buffers(MAX_DATAGRAMS),
        discarded=np.zeros((interfaces, len(Discard)), np.int64),
        flow=_flow_tables(control, settings.max_flows),
        dns=_dns_tables(control, settings.max_pending, dns_ports),
    )
    first = control[0]
    first.seed, first.salt = np.frombuffer(hashlib.sha256(str(seed).encode()).digest(), np.uint64)[:2]
    first.idle, first.active = settings.idle_us, settings.active_us
    first.linger, first.dns_timeout = settings.linger_us, settings.dns_timeout_us
    first.free_hellos, first.free_initials, first.free_pending = MAX_HELLOS, MAX_INITIALS, settings.max_pending
    first.index_mask = min(SMALLEST_INDEX, state.flow.flow_index.size) - 1
    first.oldest = first.newest = first.stream = -1
    return state


def with_other_rows(state: State) -> State:
    """The same tables with rows of their own, so that the rows of the one are read while the other writes."""
    flow = state.flow._replace(flow_rows=records(FLOW_ROWS, FLOW), retired=np.empty_like(state.flow.retired))
    dns = state.dns._replace(
        dns_rows=records(DNS_ROWS, TRANSACTION),
        answer_rows=records(ANSWER_ROWS, ANSWER),
        text=np.zeros(TEXT_BYTES, np.uint8),
    )
    return state._replace(flow=flow, dns=dns)


def _buffers(size: int) -> Buffers:
    control = records(1, LIST)
    control[0].oldest = control[0].newest = -1
    control[0].free = size
    return Buffers(
        control=control,
        records=records(size, BUFFER),
        data=np.zeros(size * BUFFER_BYTES, np.uint8),
        free=np.arange(size - 1, -1, -1, dtype=np.int32),
    )


def _flow_tables(control: Records, size: int) -> FlowTables:
    return FlowTables(
        control=control,
        flow_index=np.zeros(_power_of_two(2 * size), np.uint64),
        flows=records(size, FLOW),
        free_flows=np.empty(size, np.int32),
        listeners=np.zeros(MAX_LISTENERS, np.uint64),
        streams=_buffers(MAX_STREAMS),
        scratch=np.zeros(BUFFER_BYTES, np.uint8),
        hellos=records(MAX_HELLOS, HELLO),
        free_hellos=np.arange(MAX_HELLOS - 1, -1, -1, dtype=np.int32),
        initials=records(MAX_INITIALS, INITIAL),
        free_initials=np.arange(MAX_INITIALS - 1, -1, -1, dtype=np.int32),
        tunnels=records(MAX_TUNNELS, TUNNEL),
        flow_rows=records(FLOW_ROWS, FLOW),
        retired=np.empty(MAX_HELLOS, np.int32),
    )


def _dns_tables(control: Records, size: int, ports: tuple[int, ...]) -> DnsTables:
    spoken = np.zeros(1 << 16, np.uint8)
    spoken[list(ports)] = 1
    return DnsTables(
        control=control,
        ports=spoken,
        pending_index=np.zeros(_power_of_two(2 * size), np.uint64),
        pending=records(size, PENDING),
        free_pending=np.arange(size - 1, -1, -1, dtype=np.int32),
        names=np.zeros((size + 1) * NAME_ROW, np.uint8),
        subnets=np.zeros((size, MAX_SUBNET), np.uint8),
        message=records(1, MESSAGE),
        name=np.zeros(NAME_ROOM, np.uint8),
        subnet=np.zeros(MAX_SUBNET, np.uint8),
        label=np.zeros(NAME_ROOM, np.uint8),
        dns_rows=records(DNS_ROWS, TRANSACTION),
        answer_rows=records(ANSWER_ROWS, ANSWER),
        text=np.zeros(TEXT_BYTES, np.uint8),
    )


class Bounds(NamedTuple):
    """How many records the tables hold, and how long (µs of packet time)."""

    max_flows: int = (
        1 << 20
    )  # at the bound the least recently used of a few is written as evicted, half-open ones first
    max_pending: int = 1 << 17  # at the bound the oldest query is written as unanswered
    idle_us: int = 60_000_000
    active_us: int = 300_000_000
    linger_us: int = 5_000_000  # after both FINs or a RST, for what is still on the way
    dns_timeout_us: int = 10_000_000


def records(size: int, dtype: np.dtype) -> Records:
    """Empty ones, from the beginning of a cache line on."""
    memory = np.zeros(size * dtype.itemsize + LINE, np.uint8)
    start = -memory.ctypes.data % LINE
    return memory[start : start + size * dtype.itemsize].view(dtype).view(np.recarray)


def _power_of_two(least: int) -> int:
    return 1 << (least - 1).bit_length()
