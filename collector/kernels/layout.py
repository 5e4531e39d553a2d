"""The arrays the kernels work on: one record type a table, every bound named, and what happens at it."""

from typing import Any, NamedTuple

import numpy as np

from contract.errors import Discard

Records = Any  # a numpy record array: fields are attributes, which its declared type does not know

BATCH = 32  # packets decoded ahead, so that their table lines are on the way when they are updated

MAX_DEPTH = 6  # encapsulations inside one another; a packet deeper than that is discarded as too_deep
MAX_FRAGMENTS = 4096  # datagrams whose first fragment is remembered; a newer one takes the place of an older
MAX_HELLOS = 1 << 16  # ClientHellos kept for live flows; beyond that a flow is written without its tls columns
MAX_TUNNELS = 1 << 14  # outer address pairs; a flow beyond that is written without tunnel addresses
MAX_ANSWERS = 512  # records of one answer section; the rest of the section is left out
MAX_NAME = 255  # octets of a name on the wire (RFC 1035 §3.1)
MAX_SNI = 255
MAX_ALPN = 64

# Room one DNS message can need in the text arena: every record a full name, escaped to four characters an octet, and data.
MESSAGE_TEXT = MAX_ANSWERS * 3 * 4 * (MAX_NAME + 1) + 6 * 65536

# Codes are numpy integers: a literal argument would have numba compile a function once for each value.
DONE, OUT_FULL = np.arange(2)

CODES = {reason: code for code, reason in enumerate(Discard)}
UNKNOWN_LINK_TYPE = CODES[Discard.UNKNOWN_LINK_TYPE]
CUT_LINK_HEADER = CODES[Discard.CUT_LINK_HEADER]
NOT_IP = CODES[Discard.NOT_IP]
BAD_IP_HEADER = CODES[Discard.BAD_IP_HEADER]
CUT_IP_HEADER = CODES[Discard.CUT_IP_HEADER]
CUT_TRANSPORT_HEADER = CODES[Discard.CUT_TRANSPORT_HEADER]
BAD_TRANSPORT_HEADER = CODES[Discard.BAD_TRANSPORT_HEADER]
TOO_DEEP = CODES[Discard.TOO_DEEP]
ORPHAN_FRAGMENT = CODES[Discard.ORPHAN_FRAGMENT]
KEPT = -1

END_REASONS = ("idle", "active", "closed", "reset", "evicted", "shutdown")
IDLE, ACTIVE, CLOSED, RESET, EVICTED, SHUTDOWN = np.arange(6)

OUTCOMES = ("answered", "unanswered", "unsolicited")
ANSWERED, UNANSWERED, UNSOLICITED, WAITING = np.arange(4)  # waiting: no outcome yet

TUNNELS = ("", "vxlan", "geneve", "gre", "ipip", "6in4", "4in6")
NO_TUNNEL, VXLAN, GENEVE, GRE, IPIP, SIX_IN_FOUR, FOUR_IN_SIX = range(7)
NO_VNI = -1
SIX_BIT, TUNNEL_BIT = np.uint64(31), np.uint64(25)  # where key5 has the version of IP and the kind of tunnel

TCP, UDP, ICMP, ICMPV6, SCTP, UDPLITE, DCCP = 6, 17, 1, 58, 132, 136, 33
FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10
NO_PORT = 0
INTERFACE_INDEX = 1 << 31  # marks an interface id that is the kernel's index out of a cooked v2 header

FRAME = np.dtype(
    [("offset", "i8"), ("captured", "i4"), ("wire", "i4"), ("time", "i8"), ("interface", "i4"), ("link", "i4")],
    align=True,
)

PACKET = np.dtype(
    [
        ("src_high", "u8"),
        ("src_low", "u8"),
        ("dst_high", "u8"),
        ("dst_low", "u8"),
        ("outer_src_high", "u8"),
        ("outer_src_low", "u8"),
        ("outer_dst_high", "u8"),
        ("outer_dst_low", "u8"),
        ("time", "i8"),
        ("payload", "i8"),
        ("length", "i8"),
        ("captured", "i8"),
        ("ip_bytes", "i8"),
        ("interface", "i8"),
        ("key4", "u8"),
        ("key5", "u8"),
        ("hash", "u8"),
        ("seq", "i8"),
        ("window", "i8"),
        ("vni", "i8"),
        ("src_port", "i4"),
        ("dst_port", "i4"),
        ("vlan", "i4"),
        ("protocol", "i4"),
        ("tcp_flags", "i4"),
        ("icmp_type", "i4"),
        ("icmp_code", "i4"),
        ("tunnel", "i4"),
        ("swapped", "i4"),
        ("six", "i4"),  # the version of IP, for an IPv6 header can hold ::ffff:a.b.c.d
        ("ports", "i4"),
    ],
    align=True,
)

FLOW = np.dtype(
    [
        ("a_high", "u8"),
        ("a_low", "u8"),
        ("b_high", "u8"),
        ("b_low", "u8"),
        ("key4", "u8"),
        ("key5", "u8"),
        ("last_time", "i8"),
        ("hash", "u8"),
        ("touched", "i8"),  # the latest time of any packet when it was last updated: what idleness is measured from
        ("a_packets", "i8"),
        ("b_packets", "i8"),
        ("a_bytes", "i8"),
        ("b_bytes", "i8"),
        ("first_time", "i8"),
        ("syn_time", "i8"),
        ("synack_time", "i8"),
        ("vni", "i8"),
        ("a_next", "u4"),
        ("b_next", "u4"),
        ("a_retransmits", "i4"),
        ("b_retransmits", "i4"),
        ("a_zero_windows", "i4"),
        ("b_zero_windows", "i4"),
        ("server_handshake", "i4"),
        ("client_handshake", "i4"),
        ("hello", "i4"),
        ("tunnel", "i4"),
        ("icmp_type", "i2"),
        ("icmp_code", "i2"),
        ("a_flags", "u1"),
        ("b_flags", "u1"),
        ("a_seen", "u1"),  # flags of the whole connection, which an active timeout does not clear
        ("b_seen", "u1"),
        ("opener", "u1"),  # 0: A is src, 1: B is src
        ("started", "u1"),
        ("used", "u1"),
        ("reason", "u1"),
    ],
    align=True,
)

HELLO = np.dtype(
    [("sni", "u1", MAX_SNI), ("sni_size", "i4"), ("alpn", "u1", MAX_ALPN), ("alpn_size", "i4"), ("version", "i4")]
)

TUNNEL = np.dtype([("src_high", "u8"), ("src_low", "u8"), ("dst_high", "u8"), ("dst_low", "u8"), ("used", "u8")])

FRAGMENT = np.dtype([("key", "u8"), ("ports", "u4"), ("used", "u4")], align=True)

PENDING = np.dtype(
    [
        ("src_high", "u8"),
        ("src_low", "u8"),
        ("dst_high", "u8"),
        ("dst_low", "u8"),
        ("key4", "u8"),
        ("key5", "u8"),
        ("hash", "u8"),
        ("first_time", "i8"),
        ("last_time", "i8"),
        ("touched", "i8"),  # the latest time of any packet at the last attempt
        ("row", "i8"),  # of the response, while ``epoch`` is the control's
        ("epoch", "i8"),
        ("older", "i4"),
        ("newer", "i4"),
        ("attempts", "i4"),
        ("bytes", "i4"),
        ("flag_bits", "i4"),  # "flags" is an attribute that every numpy record has
        ("id", "i4"),
        ("name_size", "i4"),  # -1: no question
        ("qtype", "i4"),
        ("qclass", "i4"),
        ("edns_size", "i4"),  # -1: no OPT
        ("edns_do", "i4"),
        ("subnet_size", "i4"),  # -1: no client subnet
        ("state", "i4"),
    ],
    align=True,
)

MESSAGE = np.dtype(
    [
        ("flag_bits", "i4"),  # "flags" is an attribute that every numpy record has
        ("id", "i4"),
        ("qtype", "i4"),
        ("qclass", "i4"),
        ("name_size", "i4"),
        ("edns_size", "i4"),
        ("edns_do", "i4"),
        ("edns_rcode", "i4"),
        ("edns_error", "i4"),
        ("subnet_size", "i4"),
        ("answers", "i8"),  # offset of the answer section, 0: none read
        ("answer_count", "i4"),
    ],
    align=True,
)

TRANSACTION = np.dtype(
    [
        ("client_high", "u8"),
        ("client_low", "u8"),
        ("server_high", "u8"),
        ("server_low", "u8"),
        ("query_time", "i8"),
        ("response_time", "i8"),
        ("client_port", "i4"),
        ("server_port", "i4"),
        ("interface", "i8"),
        ("six", "i4"),
        ("id", "i4"),
        ("query_flags", "i4"),
        ("response_flags", "i4"),
        ("rcode", "i4"),
        ("qtype", "i4"),
        ("qclass", "i4"),
        ("has_question", "i4"),
        ("edns_size", "i4"),
        ("edns_do", "i4"),
        ("edns_error", "i4"),
        ("query_bytes", "i4"),
        ("response_bytes", "i4"),
        ("attempts", "i4"),
        ("outcome", "i4"),
        ("name_at", "i4"),
        ("name_size", "i4"),
        ("subnet_at", "i4"),
        ("subnet_size", "i4"),
        ("answers_at", "i4"),
        ("answer_count", "i4"),
    ],
    align=True,
)

ANSWER = np.dtype(
    [("name_at", "i4"), ("name_size", "i4"), ("data_at", "i4"), ("data_size", "i4"), ("ttl", "i8"), ("type", "i4")],
    align=True,
)

CONTROL = np.dtype(
    [
        ("frame", "i8"),
        ("batch_size", "i8"),
        ("batch_done", "i8"),
        ("now", "i8"),
        ("sweep", "i8"),
        ("free_flow", "i8"),  # flows handed out so far, until all were once; then the free stack
        ("free_flows", "i8"),
        ("evict", "i8"),
        ("free_hellos", "i8"),
        ("flow_rows", "i8"),
        ("dns_rows", "i8"),
        ("answer_rows", "i8"),
        ("text", "i8"),
        ("epoch", "i8"),  # how often the rows were taken out
        ("oldest", "i8"),
        ("newest", "i8"),
        ("free_pending", "i8"),
        ("flush", "i8"),
        ("evictions", "i8"),
        ("pending_overflows", "i8"),
        ("dns_malformed", "i8"),
        ("seed", "u8"),
        ("idle", "i8"),
        ("active", "i8"),
        ("linger", "i8"),
        ("dns_timeout", "i8"),
    ],
    align=True,
)


class FlowTables(NamedTuple):
    control: Records
    flow_index: np.ndarray
    flows: Records
    free_flows: np.ndarray
    hellos: Records
    free_hellos: np.ndarray
    tunnels: Records
    flow_rows: Records
    hello_rows: Records
    tunnel_rows: Records


class DnsTables(NamedTuple):
    control: Records
    pending_index: np.ndarray
    pending: Records
    free_pending: np.ndarray
    names: np.ndarray  # one row a pending query: the name in wire form, lower case
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
    fragments: Records
    discarded: np.ndarray  # (interface, reason)
    flow: FlowTables
    dns: DnsTables


MAX_SUBNET = 20  # family, prefix lengths and 16 address octets (RFC 7871 §6)
FLOW_ROWS = 1 << 17  # rows of one flow batch
DNS_ROWS = 1 << 16
ANSWER_ROWS = 1 << 18
TEXT_BYTES = 32 << 20


def new_state(settings: "Bounds", interfaces: int, seed: int) -> State:
    """Empty tables. Pages of a large one are taken from the system only when they are first written."""
    control = records(1, CONTROL)
    state = State(
        control=control,
        batch=records(BATCH, PACKET),
        fragments=records(MAX_FRAGMENTS, FRAGMENT),
        discarded=np.zeros((interfaces, len(Discard)), np.int64),
        flow=_flow_tables(control, settings.max_flows),
        dns=_dns_tables(control, settings.max_pending),
    )
    first = control[0]
    first.seed, first.idle, first.active = seed, settings.idle_us, settings.active_us
    first.linger, first.dns_timeout = settings.linger_us, settings.dns_timeout_us
    first.free_hellos, first.free_pending = MAX_HELLOS, settings.max_pending
    first.oldest = first.newest = -1
    return state


def _flow_tables(control: Records, size: int) -> FlowTables:
    return FlowTables(
        control=control,
        flow_index=np.zeros(_power_of_two(2 * size), np.uint64),
        flows=records(size, FLOW),
        free_flows=np.empty(size, np.int32),
        hellos=records(MAX_HELLOS, HELLO),
        free_hellos=np.arange(MAX_HELLOS - 1, -1, -1, dtype=np.int32),
        tunnels=records(MAX_TUNNELS, TUNNEL),
        flow_rows=records(FLOW_ROWS, FLOW),
        hello_rows=records(FLOW_ROWS, HELLO),
        tunnel_rows=records(FLOW_ROWS, TUNNEL),
    )


def _dns_tables(control: Records, size: int) -> DnsTables:
    return DnsTables(
        control=control,
        pending_index=np.zeros(_power_of_two(2 * size), np.uint64),
        pending=records(size, PENDING),
        free_pending=np.arange(size - 1, -1, -1, dtype=np.int32),
        names=np.zeros((size, MAX_NAME + 1), np.uint8),
        subnets=np.zeros((size, MAX_SUBNET), np.uint8),
        message=records(1, MESSAGE),
        name=np.zeros(MAX_NAME + 1, np.uint8),
        subnet=np.zeros(MAX_SUBNET, np.uint8),
        label=np.zeros(MAX_NAME + 1, np.uint8),
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
    return np.zeros(size, dtype).view(np.recarray)


def _power_of_two(least: int) -> int:
    return 1 << (least - 1).bit_length()
